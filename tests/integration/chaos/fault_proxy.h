#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_FAULT_PROXY_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_FAULT_PROXY_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace atomemo::chaos {

// A bad network: passes TCP connections on to a port of this machine, and does to them what it is
// told. When either end of a connection dies, the other end sees it; when nobody listens on the
// port, the client's connection is reset.
//
// Runs on a thread of its own; the methods are for one owner thread, and have taken effect when
// they return.
class FaultProxy {
 public:
  explicit FaultProxy(std::uint16_t target_port);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  // Listens on a port of the system's choice; gives it. Once only.
  absl::StatusOr<std::uint16_t> Start();

  // Ends every connection, with FIN or with RST; what is under way is lost. Gives their number.
  std::size_t Cut();
  std::size_t Reset();
  // For so long nothing is passed on in either direction, and no connection ends.
  void Stall(absl::Duration lasting);
  // For so long everything takes `latency` longer, each way.
  void Delay(absl::Duration latency, absl::Duration lasting);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_FAULT_PROXY_H_
