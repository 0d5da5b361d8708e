#include "bridge/base/blocking_calls.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "tests/fakes/io_thread.h"

namespace atomemo::base {
namespace {

// A call that blocks until the test lets it go on.
struct Gate {
  std::promise<void> opened;
  std::shared_future<void> open{opened.get_future()};
};

class BlockingCallsTest : public ::testing::Test {
 protected:
  void Make(std::size_t max_threads = 16) {
    calls_ = std::make_unique<BlockingCalls>(
        [this](BlockingCalls::Task task) { io_.scheduler().Post(std::move(task)); }, max_threads);
  }

  fakes::IoThread io_;
  std::unique_ptr<BlockingCalls> calls_;
};

TEST_F(BlockingCallsTest, TheWorkRunsElsewhereAndItsResultOnTheIoThread) {
  Make();
  std::promise<std::thread::id> worked_on;
  std::promise<std::thread::id> ended_on;
  const absl::Status started = calls_->Run([&] {
    worked_on.set_value(std::this_thread::get_id());
    return [&] { ended_on.set_value(std::this_thread::get_id()); };
  });
  ASSERT_TRUE(started.ok()) << started;
  std::thread::id io_thread;
  io_.Run([&] { io_thread = std::this_thread::get_id(); });
  EXPECT_NE(worked_on.get_future().get(), io_thread);
  EXPECT_EQ(ended_on.get_future().get(), io_thread);
}

TEST_F(BlockingCallsTest, WhatIsStuckNeitherHoldsUpTheEndNorIsHeardOfAfterIt) {
  Make();
  Gate gate;
  const auto heard = std::make_shared<bool>(false);
  const auto ended = std::make_shared<std::promise<void>>();
  ASSERT_TRUE(calls_
                  ->Run([open = gate.open, heard, ended]() -> BlockingCalls::Task {
                    open.wait();
                    // Goes when the thread has decided what to do with the result.
                    const std::shared_ptr<void> result(nullptr,
                                                       [ended](void*) { ended->set_value(); });
                    return [heard, result] { *heard = true; };
                  })
                  .ok());
  calls_.reset();  // at once
  gate.opened.set_value();
  ended->get_future().wait();
  io_.Stop();
  EXPECT_FALSE(*heard);
}

TEST_F(BlockingCallsTest, AResultThatWasPostedBeforeTheEndIsNotHeardOfEither) {
  const auto posted = std::make_shared<std::promise<void>>();
  calls_ = std::make_unique<BlockingCalls>([this, posted](BlockingCalls::Task task) {
    io_.scheduler().Post(std::move(task));
    posted->set_value();
  });
  bool heard = false;
  io_.Run([&] {
    ASSERT_TRUE(
        calls_->Run([&]() -> BlockingCalls::Task { return [&heard] { heard = true; }; }).ok());
    posted->get_future().wait();
    calls_.reset();
  });
  io_.Stop();
  EXPECT_FALSE(heard);
}

TEST_F(BlockingCallsTest, StuckThreadsAreBounded) {
  Make(2);
  Gate gate;
  const auto stuck = [open = gate.open]() -> BlockingCalls::Task {
    open.wait();
    return [] {};
  };
  EXPECT_TRUE(calls_->Run(stuck).ok());
  EXPECT_TRUE(calls_->Run(stuck).ok());
  const absl::Status refused = calls_->Run(stuck);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  std::promise<void> ended;
  gate.opened.set_value();
  // Each thread makes room when it ends.
  while (!calls_->Run([&]() -> BlockingCalls::Task { return [&] { ended.set_value(); }; }).ok()) {
    std::this_thread::yield();
  }
  ended.get_future().wait();
}

}  // namespace
}  // namespace atomemo::base
