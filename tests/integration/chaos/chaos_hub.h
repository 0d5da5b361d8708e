#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_HUB_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_HUB_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/integration/chaos/call_book.h"
#include "tests/integration/chaos/traffic.h"

namespace atomemo::chaos {

// A hub that can be killed: the development hub's sockets and channels, with a book of calls that
// survives. It makes the calls of a Traffic as long as the plugin is registered, and repeats those
// that are still unanswered whenever the plugin registers.
//
// Its channels are behind their sockets: heartbeats are replied to at once, while answers wait for
// the channel, and are dropped when that crashes or the hub is killed.
//
// Each life has a thread of its own; the methods are for one owner thread. Book and traffic must
// outlive the hub.
class ChaosHub {
 public:
  struct Options {
    bool repeat_pending = true;
  };
  ChaosHub(CallBook& book, Traffic& traffic, Options options);
  // Kills.
  ~ChaosHub();
  ChaosHub(const ChaosHub&) = delete;
  ChaosHub& operator=(const ChaosHub&) = delete;

  // Listens; from the second time on, on the first time's port. While it does not live.
  absl::Status Start();
  // Drops every connection, with what was not read yet, and listens no more.
  void Kill();
  bool lives() const { return life_ != nullptr; }
  std::uint16_t port() const { return port_; }

  // Whether calls are made at all. Not in the beginning.
  void SetTraffic(bool on) { traffic_on_ = on; }
  // Whether the plugin is registered, so that calls can be made.
  bool registered() const { return registered_; }

  // Ends the plugin's channel: with phx_error at once, so that the answers that it has not looked
  // at yet are dropped, or with phx_close behind them. False if it is not joined.
  bool CrashChannel();
  bool CloseChannel();

 private:
  class Life;

  CallBook& book_;
  Traffic& traffic_;
  const Options options_;
  std::uint16_t port_ = 0;
  std::atomic<bool> traffic_on_{false};
  std::atomic<bool> registered_{false};
  std::unique_ptr<Life> life_;
};

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_HUB_H_
