#include "bridge/base/line_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <climits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace atomemo::base {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

constexpr std::size_t kMaxBytes = 1'000;
constexpr absl::Duration kPatience = absl::Seconds(30);

std::string Notice(std::uint64_t dropped) { return absl::StrCat("dropped ", dropped, "\n"); }

// A pipe that nobody reads until the test does.
class LineWriterTest : public ::testing::Test {
 protected:
  LineWriterTest() {
    signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(pipe2(pipe_, O_CLOEXEC), 0);
    writer_ = std::make_unique<LineWriter>(pipe_[1], kMaxBytes, Notice);
  }
  ~LineWriterTest() override {
    CloseReader();
    writer_.reset();
    close(pipe_[1]);
  }

  void CloseReader() {
    if (pipe_[0] >= 0) close(pipe_[0]);
    pipe_[0] = -1;
  }

  // Leaves no room in the pipe.
  void FillPipe() const {
    SetNonBlocking(true);
    const std::string filling(PIPE_BUF, '.');
    while (write(pipe_[1], filling.data(), filling.size()) > 0) {
    }
    SetNonBlocking(false);
  }

  void SetNonBlocking(bool on) const { fcntl(pipe_[1], F_SETFL, on ? O_NONBLOCK : 0); }

  // What comes out of the pipe until it contains `end`, without the filling.
  std::string ReadUntil(const std::string& end) const {
    std::string text;
    char buffer[64 << 10];
    while (!absl::StrContains(text, end)) {
      const ssize_t count = read(pipe_[0], buffer, sizeof(buffer));
      if (count <= 0) break;
      for (const char c : absl::string_view(buffer, static_cast<std::size_t>(count))) {
        if (c != '.') text.push_back(c);
      }
    }
    return text;
  }

  int pipe_[2] = {-1, -1};
  std::unique_ptr<LineWriter> writer_;
};

TEST_F(LineWriterTest, LinesComeOutInOrder) {
  writer_->Write("one\n");
  writer_->Write("two\n");
  ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_EQ(ReadUntil("two\n"), "one\ntwo\n");
}

TEST_F(LineWriterTest, WhoWritesNeverWaitsAndWhatIsMissingIsCountedInItsPlace) {
  FillPipe();
  constexpr int kSent = 10'000;
  for (int i = 0; i < kSent; ++i) writer_->Write("line\n");
  EXPECT_FALSE(writer_->Flush(absl::ZeroDuration()));
  const std::string text = ReadUntil("dropped");
  ASSERT_TRUE(writer_->Flush(kPatience));
  writer_->Write("next\n");
  int kept = 0;
  int dropped = 0;
  // The writer may have begun before the loop was over: then there are two gaps.
  const std::vector<std::string> lines = absl::StrSplit(text + ReadUntil("next\n"), '\n');
  for (absl::string_view line : lines) {
    int count = 0;
    if (line == "line") ++kept;
    if (absl::ConsumePrefix(&line, "dropped ") && absl::SimpleAtoi(line, &count)) dropped += count;
  }
  EXPECT_LE(static_cast<std::size_t>(kept) * sizeof("line"), 2 * kMaxBytes);
  EXPECT_EQ(kept + dropped, kSent);
  ASSERT_GE(lines.size(), 3u);
  EXPECT_THAT(lines[lines.size() - 3], StartsWith("dropped "));
}

TEST_F(LineWriterTest, ALineThatNoQueueHoldsIsDropped) {
  writer_->Write(std::string(2 * kMaxBytes, 'x') + "\n");
  EXPECT_EQ(ReadUntil("\n"), "dropped 1\n");
}

TEST_F(LineWriterTest, AReaderThatHasGoneStopsNobody) {
  CloseReader();
  for (int i = 0; i < 1'000; ++i) writer_->Write("line\n");
  EXPECT_TRUE(writer_->Flush(kPatience));
}

TEST_F(LineWriterTest, ADescriptorThatDoesNotBlockLosesNothing) {
  FillPipe();
  SetNonBlocking(true);
  writer_->Write("one\n");
  EXPECT_EQ(ReadUntil("one\n"), "one\n");
}

TEST_F(LineWriterTest, WhatAFullDiskSwallowedIsCountedOnceThereIsRoom) {
  const int file = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  LineWriter writer(file, kMaxBytes, Notice);
  writer.Write("one\ntwo\n");
  ASSERT_TRUE(writer.Flush(kPatience));
  writer.Write("three\n");
  ASSERT_TRUE(writer.Flush(kPatience));
  ASSERT_EQ(dup2(pipe_[1], file), file);
  writer.Write("four\n");
  EXPECT_EQ(ReadUntil("four\n"), "dropped 3\nfour\n");
  close(file);
}

TEST_F(LineWriterTest, WhatWasWrittenIsOutBeforeItGoes) {
  for (int i = 0; i < 100; ++i) writer_->Write("line\n");
  writer_->Write("last\n");
  writer_.reset();
  EXPECT_THAT(ReadUntil("last\n"), EndsWith("line\nlast\n"));
}

}  // namespace
}  // namespace atomemo::base
