#ifndef ATOMEMO_TESTS_BRIDGE_HUB_DIALING_FIXTURE_H_
#define ATOMEMO_TESTS_BRIDGE_HUB_DIALING_FIXTURE_H_

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <chrono>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/hub/host_resolver.h"

namespace atomemo::hub {

// A name server that the test plays. Outlives the threads that ask it.
class FakeNameServer {
 public:
  // What is known of a name. Without an entry there is no such host.
  void Answer(const std::string& host, AddressFamily family,
              const std::vector<std::string>& addresses) {
    HostResolver::Addresses parsed;
    for (const std::string& address : addresses) parsed.push_back(asio::ip::make_address(address));
    answers_[{host, family}] = std::move(parsed);
  }
  void Fail(const std::string& host, AddressFamily family, absl::Status error) {
    answers_[{host, family}] = std::move(error);
  }
  // Questions for this name wait until ReleaseAll.
  void Hang(const std::string& host, AddressFamily family) { hanging_[{host, family}] = true; }

  HostResolver::Lookup AsFunction() {
    return [state = state_, answers = answers_, hanging = hanging_](
               const std::string& host,
               AddressFamily family) -> absl::StatusOr<HostResolver::Addresses> {
      ++state->questions;
      if (hanging.count({host, family}) > 0) state->released.wait();
      const auto found = answers.find({host, family});
      if (found != answers.end()) return found->second;
      return absl::NotFoundError(absl::StrCat("there is no host named ", host));
    };
  }

  void ReleaseAll() { state_->release.set_value(); }
  int questions() const { return state_->questions; }

 private:
  using Key = std::pair<std::string, AddressFamily>;
  struct State {
    std::promise<void> release;
    std::shared_future<void> released{release.get_future()};
    std::atomic<int> questions{0};
  };

  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::map<Key, absl::StatusOr<HostResolver::Addresses>> answers_;
  std::map<Key, bool> hanging_;
};

// An address that nobody answers: its queue of connections is full.
class MuteAddress {
 public:
  MuteAddress(asio::io_context& io, const asio::ip::address& address, std::uint16_t port = 0)
      : acceptor_(io) {
    const asio::ip::tcp::endpoint endpoint(address, port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::ip::tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(0);
    for (int i = 0; i < kFillers; ++i) {
      fillers_.emplace_back(io).async_connect(acceptor_.local_endpoint(),
                                              [](const asio::error_code&) {});
    }
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  static constexpr int kFillers = 3;

  asio::ip::tcp::acceptor acceptor_;
  std::list<asio::ip::tcp::socket> fillers_;
};

// Runs the io_context on the test's thread.
class DialingTest : public ::testing::Test {
 protected:
  template <typename Condition>
  void RunUntil(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      io_.restart();
      if (io_.run_one_for(std::chrono::milliseconds(20)) == 0) continue;
    }
    ASSERT_TRUE(condition());
  }

  asio::io_context io_;
  FakeNameServer names_;
};

}  // namespace atomemo::hub

#endif  // ATOMEMO_TESTS_BRIDGE_HUB_DIALING_FIXTURE_H_
