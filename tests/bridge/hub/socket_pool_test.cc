#include "bridge/hub/socket_pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

#include "tests/fakes/fake_websocket.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::hub {
namespace {

using router::HubMode;

class SocketPoolTest : public ::testing::Test {
 protected:
  SocketPoolTest() {
    options_.spread = 2;
    options_.max_channels_per_socket = 3;
  }

  std::unique_ptr<PhoenixSocket> MakeSocket() {
    return std::make_unique<PhoenixSocket>(
        PhoenixSocket::Environment{scheduler_, std::make_unique<fakes::FakeWebSocket>(),
                                   [](const auto& done) { done("ws://hub"); }, "ws://hub",
                                   [] { return 1; }, [](router::HubPosition) {}, 1},
        PhoenixSocket::Options());
  }

  // How many different sockets so many topics get.
  std::size_t SocketsFor(int topics, HubMode mode = HubMode::kDebug) {
    std::set<PhoenixSocket*> sockets;
    for (int i = 0; i < topics; ++i) sockets.insert(&pool().Acquire(mode));
    return sockets.size();
  }

  SocketPool& pool() {
    if (pool_ == nullptr) {
      pool_ = std::make_unique<SocketPool>(
          scheduler_, [this](HubMode) { return MakeSocket(); }, options_);
    }
    return *pool_;
  }

  fakes::ManualScheduler scheduler_;
  SocketPool::Options options_;
  std::unique_ptr<SocketPool> pool_;
};

TEST_F(SocketPoolTest, TheFirstTopicsHaveSocketsOfTheirOwn) { EXPECT_EQ(SocketsFor(2), 2u); }

TEST_F(SocketPoolTest, FurtherTopicsShareTheSocketsUntilTheseAreFull) {
  EXPECT_EQ(SocketsFor(6), 2u);
  EXPECT_EQ(SocketsFor(1), 1u);
  EXPECT_EQ(pool().size(), 3u);
}

TEST_F(SocketPoolTest, ATopicSharesWithAsFewAsPossible) {
  PhoenixSocket& first = pool().Acquire(HubMode::kDebug);
  PhoenixSocket& second = pool().Acquire(HubMode::kDebug);
  EXPECT_EQ(&pool().Acquire(HubMode::kDebug), &first);
  EXPECT_EQ(&pool().Acquire(HubMode::kDebug), &second);
  pool().Release(second);
  EXPECT_EQ(&pool().Acquire(HubMode::kDebug), &second);
}

TEST_F(SocketPoolTest, AnEmptySocketIsTakenBeforeANewOneIsOpened) {
  PhoenixSocket& socket = pool().Acquire(HubMode::kDebug);
  pool().Release(socket);
  EXPECT_EQ(&pool().Acquire(HubMode::kDebug), &socket);
  EXPECT_EQ(pool().size(), 1u);
}

TEST_F(SocketPoolTest, AKeptSocketIsThereBeforeTheFirstTopicAndAfterTheLast) {
  EXPECT_EQ(pool().state(), nullptr);
  pool().Keep(HubMode::kDebug);
  EXPECT_EQ(pool().size(), 1u);
  PhoenixSocket& kept = pool().Acquire(HubMode::kDebug);
  EXPECT_EQ(pool().size(), 1u);
  EXPECT_EQ(pool().state(), &kept.state());
  PhoenixSocket& other = pool().Acquire(HubMode::kDebug);
  EXPECT_EQ(pool().size(), 2u);
  pool().Release(kept);
  pool().Release(other);
  scheduler_.Advance(absl::Minutes(5));
  EXPECT_EQ(pool().size(), 1u);
  EXPECT_EQ(pool().state(), &kept.state());
}

TEST_F(SocketPoolTest, EachModeHasItsOwnSockets) {
  EXPECT_EQ(SocketsFor(2, HubMode::kDebug), 2u);
  EXPECT_EQ(SocketsFor(2, HubMode::kRelease), 2u);
  EXPECT_EQ(pool().size(), 4u);
}

}  // namespace
}  // namespace atomemo::hub
