// The small things that keep a fast sender from filling memory, or the io thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bridge/plugin_service/chunk_pipe.h"
#include "bridge/plugin_service/service_context.h"
#include "bridge/plugin_service/turn_queue.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class TurnQueueTest : public ::testing::Test {
 protected:
  using Queue = TurnQueue<std::string>;

  std::shared_ptr<Queue> MakeQueue(Queue::Limits limits = {100, 1000}) {
    return std::make_shared<Queue>(
        io_, limits, [this](std::string message) { handled_.push_back(std::move(message)); },
        [this] { ++read_ons_; });
  }

  fakes::ManualScheduler io_;
  std::vector<std::string> handled_;
  int read_ons_ = 0;
};

TEST_F(TurnQueueTest, KeepsTheOrder) {
  const auto queue = MakeQueue();
  std::vector<std::string> messages;
  for (int i = 0; i < 50; ++i) {
    messages.push_back(std::to_string(i));
    EXPECT_TRUE(queue->Push(messages.back(), 1));
  }
  io_.RunPosted();
  EXPECT_EQ(handled_, messages);
}

TEST_F(TurnQueueTest, OneWithManyMessagesLetsTheOthersTakeTheirTurn) {
  const auto busy = MakeQueue();
  const auto quiet = MakeQueue();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(busy->Push("busy", 1));
  EXPECT_TRUE(quiet->Push("quiet", 1));
  io_.RunPosted();
  ASSERT_THAT(handled_, SizeIs(51));
  EXPECT_EQ(handled_[1], "quiet");
}

TEST_F(TurnQueueTest, ReadingPausesAtTheBoundAndResumesOnce) {
  const auto queue = MakeQueue({2, 1000});
  EXPECT_TRUE(queue->Push("1", 1));
  EXPECT_FALSE(queue->Push("2", 1));
  io_.RunPosted();
  EXPECT_EQ(read_ons_, 1);
  EXPECT_TRUE(queue->Push("3", 1));
  io_.RunPosted();
  EXPECT_EQ(read_ons_, 1);
}

TEST_F(TurnQueueTest, BytesCountToo) {
  const auto queue = MakeQueue({100, 10});
  EXPECT_FALSE(queue->Push("1", 10));
  io_.RunPosted();
  EXPECT_EQ(read_ons_, 1);
}

TEST_F(TurnQueueTest, FlushHandlesAllThatIsQueuedInOrder) {
  const auto queue = MakeQueue();
  std::vector<std::string> messages;
  for (int i = 0; i < 50; ++i) {
    messages.push_back(std::to_string(i));
    EXPECT_TRUE(queue->Push(messages.back(), 1));
  }
  queue->Flush();
  EXPECT_EQ(handled_, messages);
  io_.RunPosted();
  EXPECT_EQ(handled_, messages);
}

TEST_F(TurnQueueTest, WhatIsQueuedIsHandledAfterItsOwnerIsGone) {
  auto queue = MakeQueue();
  EXPECT_TRUE(queue->Push("last", 1));
  queue.reset();
  io_.RunPosted();
  EXPECT_THAT(handled_, ElementsAre("last"));
}

TEST(SessionTableTest, AnswersThatWereReadAreHandledBeforeTheSessionIsGone) {
  fakes::ManualScheduler io;
  int handled = 0;
  const auto stream = std::make_shared<StreamEvents>(
      io, StreamEvents::Limits{100, 1000}, [&](const StreamEvent&) { ++handled; }, [] {});
  SessionTable sessions;
  sessions.Add("s1", {});
  sessions.AddStream("s1", router::CallKind::kInvoke, stream);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(stream->Push(router::PluginReply(), 1));
  sessions.Remove("s1");
  EXPECT_EQ(handled, 50);
}

TEST(SessionTableTest, AReplyThatIsStillBeingReadIsKnown) {
  fakes::ManualScheduler io;
  const auto stream = std::make_shared<StreamEvents>(
      io, StreamEvents::Limits{100, 1000}, [](const StreamEvent&) {}, [] {});
  SessionTable sessions;
  sessions.Add("s1", {});
  sessions.AddStream("s1", router::CallKind::kInvoke, stream);
  EXPECT_FALSE(sessions.IsReading("s1"));
  stream->Expect();
  EXPECT_TRUE(sessions.IsReading("s1"));
  EXPECT_TRUE(stream->Push(router::PluginReply(), 1));
  EXPECT_FALSE(sessions.IsReading("s1"));
}

class ChunkPipeTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> Read(std::size_t size) {
    std::string text(size, '\0');
    const auto got = pipe_.Read(text.data(), size, absl::Seconds(20));
    if (!got.ok()) return got.status();
    return text.substr(0, *got);
  }

  int consumed_ = 0;
  ChunkPipe pipe_{5, [this] { ++consumed_; }};
};

TEST_F(ChunkPipeTest, TheNextChunkIsAskedForWhenTheLastOneWasTaken) {
  ASSERT_TRUE(pipe_.Write("abc").ok());
  EXPECT_EQ(Read(2).value(), "ab");
  EXPECT_EQ(consumed_, 0);
  EXPECT_EQ(Read(2).value(), "c");
  EXPECT_EQ(consumed_, 1);
}

TEST_F(ChunkPipeTest, AReaderWaitsForTheWriter) {
  std::thread writer([this] { pipe_.Write("abc").IgnoreError(); });
  EXPECT_EQ(Read(9).value(), "abc");
  writer.join();
}

TEST_F(ChunkPipeTest, EmptyChunksAreSkipped) {
  ASSERT_TRUE(pipe_.Write("").ok());
  EXPECT_EQ(consumed_, 1);
}

TEST_F(ChunkPipeTest, TooManyBytesAreAnErrorOnBothEnds) {
  EXPECT_EQ(pipe_.Write("abcdef").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Read(9).status().message()), HasSubstr("more bytes than the 5"));
}

TEST_F(ChunkPipeTest, TooFewBytesAreAnErrorOnBothEnds) {
  ASSERT_TRUE(pipe_.Write("abc").ok());
  EXPECT_EQ(pipe_.Close(absl::OkStatus()).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Read(9).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ChunkPipeTest, AllBytesAndACloseAreTheEnd) {
  ASSERT_TRUE(pipe_.Write("abcde").ok());
  EXPECT_EQ(pipe_.WaitForEnd(absl::Milliseconds(1)).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(pipe_.Close(absl::OkStatus()).ok());
  EXPECT_EQ(Read(9).value(), "abcde");
  EXPECT_TRUE(pipe_.WaitForEnd(absl::Seconds(20)).ok());
}

TEST_F(ChunkPipeTest, APluginThatSendsNothingIsNotWaitedForForever) {
  char buffer[1];
  EXPECT_EQ(pipe_.Read(buffer, 1, absl::Milliseconds(1)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace atomemo::plugin_service
