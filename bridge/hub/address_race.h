#ifndef ATOMEMO_BRIDGE_HUB_ADDRESS_RACE_H_
#define ATOMEMO_BRIDGE_HUB_ADDRESS_RACE_H_

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bridge/hub/host_resolver.h"

namespace atomemo::hub {

// "10.0.0.1:443" or "[2001:db8::1]:443".
std::string FormatEndpoint(const asio::ip::tcp::endpoint& endpoint);

// Makes a TCP connection to whichever address of a host answers first (RFC 8305): IPv6 and IPv4 by
// turns, each a moment after the one before, or at once when that one failed. A mute address in
// front of a working one so costs that moment.
//
// Lives on the io thread, as a shared_ptr; `resolver` must outlive it.
class AddressRace : public std::enable_shared_from_this<AddressRace> {
 public:
  struct Target {
    // A name or an address, without brackets.
    std::string host;
    std::uint16_t port = 0;
    // Addresses to try when no other is left.
    std::set<asio::ip::address> last;
  };
  // An error names every address that was tried, and why it failed.
  using Done = std::function<void(absl::StatusOr<asio::ip::tcp::socket>)>;

  AddressRace(asio::io_context& io, HostResolver& resolver, Target target, Done done);

  // Once. `done` is called once, later, unless Cancel is called first.
  void Start();
  void Cancel();

  // What is waited for and what went wrong so far, for a person.
  std::string Describe() const;

 private:
  struct Attempt {
    Attempt(asio::io_context& io, const asio::ip::tcp::endpoint& to) : endpoint(to), socket(io) {}
    const asio::ip::tcp::endpoint endpoint;
    asio::ip::tcp::socket socket;
    // Once it has failed.
    std::string error;
  };

  void OnAnswer(AddressFamily family, const absl::StatusOr<HostResolver::Addresses>& answer);
  void Add(const HostResolver::Addresses& addresses);
  // Starts the next attempt if it may start now, and ends the race if there is nothing left to try.
  void Proceed();
  void Try(const asio::ip::address& address);
  void OnConnected(Attempt& attempt, const asio::error_code& error);
  // Until then, no attempt starts unless something happens.
  void Pause(std::chrono::milliseconds time);
  bool TakeNext(asio::ip::address& address);
  void End(absl::StatusOr<asio::ip::tcp::socket> outcome);
  absl::Status Failure() const;

  asio::io_context& io_;
  HostResolver& resolver_;
  const Target target_;
  Done done_;  // null once the race has ended
  std::array<HostResolver::Ticket, 2> tickets_;
  std::array<bool, 2> answered_ = {};
  std::array<absl::Status, 2> lookup_errors_;
  // By family, then those to try last.
  std::array<std::deque<asio::ip::address>, 3> waiting_;
  std::size_t added_ = 0;
  std::size_t next_family_;
  bool may_start_ = true;
  std::list<Attempt> attempts_;
  std::size_t running_ = 0;
  asio::steady_timer pause_;
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_ADDRESS_RACE_H_
