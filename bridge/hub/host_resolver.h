#ifndef ATOMEMO_BRIDGE_HUB_HOST_RESOLVER_H_
#define ATOMEMO_BRIDGE_HUB_HOST_RESOLVER_H_

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bridge/base/blocking_calls.h"

namespace atomemo::hub {

enum class AddressFamily { kIpv4, kIpv6 };

// Looks up host names with the system's resolver, as every other program does, without ever waiting
// for it: a name server that does not answer holds up neither the io thread nor the end of the
// process. Each family is asked for alone, since some name servers never answer for IPv6.
//
// Lives on the io thread, and must be destroyed before the io_context.
class HostResolver {
 public:
  using Addresses = std::vector<asio::ip::address>;
  // May block; called on any thread. An error that NOT_FOUND does not name may be gone next time.
  using Lookup = std::function<absl::StatusOr<Addresses>(const std::string&, AddressFamily)>;
  using Done = std::function<void(const absl::StatusOr<Addresses>&)>;
  // Who waits for a look-up: none of its results come once this is destroyed.
  using Ticket = std::shared_ptr<void>;

  static absl::StatusOr<Addresses> SystemLookup(const std::string& host, AddressFamily family);

  explicit HostResolver(asio::io_context& io, Lookup lookup = SystemLookup);

  // `done` is called once, later: with addresses (there may be none), or with an error that says
  // what is wrong with the name or the look-up.
  [[nodiscard]] Ticket Resolve(const std::string& host, AddressFamily family, Done done);

 private:
  using Clock = std::chrono::steady_clock;

  // A question, with those who wait for its answer. A look-up that has been under way for long gets
  // company: the system's configuration may have changed since it began.
  struct Question {
    std::vector<std::weak_ptr<Done>> waiting;
    Clock::time_point asked_at;
  };
  using Key = std::pair<std::string, AddressFamily>;

  void Ask(const Key& key);
  void OnAnswer(const Key& key, const absl::StatusOr<Addresses>& answer);

  asio::io_context& io_;
  const Lookup lookup_;
  std::map<Key, Question> questions_;
  // Expires with this object.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  base::BlockingCalls calls_;
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_HOST_RESOLVER_H_
