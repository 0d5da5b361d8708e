// How Plugin::Run waits between its attempts to reach the bridge.

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/sdk-cpp/session_engine_fixture.h"

namespace atomemo {
namespace {

class RetryTest : public SessionEngineTest {
 protected:
  RetryTest() {
    options_.first_retry_delay = absl::Milliseconds(1);
    options_.last_retry_delay = absl::Milliseconds(20);
    bridge_.FailOpen({grpc::StatusCode::UNAVAILABLE, "shutting down"});
    bridge_.Start();
    StartPlugin();
  }

  // The delays that were logged since the last publication.
  std::vector<absl::Duration> Delays() {
    std::vector<absl::Duration> delays;
    for (absl::string_view line : absl::StrSplit(log(), '\n')) {
      if (absl::StartsWith(line, "published")) delays.clear();
      absl::Duration delay;
      if (absl::ConsumePrefix(&line, "next attempt in ") && absl::ParseDuration(line, &delay)) {
        delays.push_back(delay);
      }
    }
    return delays;
  }
  // How often the author was told that there is no session.
  int Outages() {
    int count = 0;
    for (absl::string_view line : absl::StrSplit(log(), '\n')) {
      count += absl::StrContains(line, "no session") ? 1 : 0;
    }
    return count;
  }
  void BridgeIsBack(int session) {
    bridge_.FailOpen(grpc::Status::OK);
    ASSERT_TRUE(bridge_.WaitForSessions(session));
    while (!absl::StrContains(log(), "published")) std::this_thread::yield();
  }
};

TEST_F(RetryTest, DelaysDoubleUpToTheLastWithSomeJitter) {
  ASSERT_TRUE(bridge_.WaitForOpenAttempts(10));
  const std::vector<absl::Duration> delays = Delays();
  ASSERT_GE(delays.size(), 9u);
  for (std::size_t i = 0; i < delays.size(); ++i) {
    const absl::Duration longest =
        i < 5 ? absl::Milliseconds(1 << i) : options_.last_retry_delay;  // 1, 2, 4, 8, 16, 20
    EXPECT_LE(delays[i], longest) << i;
    EXPECT_GE(delays[i], longest / 2) << i;
  }
}

TEST_F(RetryTest, ASessionStartsTheDelaysAnew) {
  ASSERT_TRUE(bridge_.WaitForOpenAttempts(10));
  BridgeIsBack(1);
  bridge_.EndSession({grpc::StatusCode::UNAVAILABLE, "shutting down"});
  ASSERT_TRUE(bridge_.WaitForSessions(2));
  // Of the loss: the second session has been published by now, or is about to be.
  const std::string lines = log();
  const std::size_t published = lines.find("published");
  const std::size_t next = lines.find("next attempt in ", published);
  ASSERT_NE(next, std::string::npos);
  absl::Duration delay;
  ASSERT_TRUE(
      absl::ParseDuration(lines.substr(next + 16, lines.find('\n', next) - next - 16), &delay));
  EXPECT_LE(delay, options_.first_retry_delay);
}

TEST_F(RetryTest, EachOutageIsToldOnce) {
  ASSERT_TRUE(bridge_.WaitForOpenAttempts(5));
  EXPECT_EQ(Outages(), 1);
  BridgeIsBack(1);
  bridge_.FailOpen({grpc::StatusCode::UNAVAILABLE, "shutting down"});
  bridge_.EndSession({grpc::StatusCode::UNAVAILABLE, "shutting down"});
  ASSERT_TRUE(bridge_.WaitForOpenAttempts(12));
  EXPECT_EQ(Outages(), 2);
}

}  // namespace
}  // namespace atomemo
