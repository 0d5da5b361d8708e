// The two small things that keep a fast sender from filling memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "bridge/plugin_service/chunk_pipe.h"
#include "bridge/plugin_service/read_gate.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::HasSubstr;

TEST(ReadGateTest, ReadingPausesAtTheBoundAndResumesOnce) {
  ReadGate gate(2, 1000);
  EXPECT_TRUE(gate.Admit(1));
  EXPECT_FALSE(gate.Admit(1));
  EXPECT_TRUE(gate.Consumed(1));
  EXPECT_FALSE(gate.Consumed(1));
}

TEST(ReadGateTest, BytesCountToo) {
  ReadGate gate(100, 10);
  EXPECT_FALSE(gate.Admit(10));
  EXPECT_TRUE(gate.Consumed(10));
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
