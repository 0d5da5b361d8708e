#include "atomemo/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sdk-cpp/src/stderr_writer.h"

namespace atomemo {
namespace {

using ::testing::ContainsRegex;
using ::testing::EndsWith;

// Stderr is a pipe that the test may read.
class StderrLoggerTest : public ::testing::Test {
 protected:
  StderrLoggerTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader_ = ends[0];
    stderr_ = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
  }
  ~StderrLoggerTest() override {
    internal::StderrWriter::Instance().Flush(absl::InfiniteDuration());
    dup2(stderr_, STDERR_FILENO);
    close(stderr_);
    close(reader_);
  }

  // What is logged, until it contains `end`.
  std::string ReadUntil(const std::string& end) const {
    std::string text;
    char buffer[64 << 10];
    while (!absl::StrContains(text, end)) {
      const ssize_t count = read(reader_, buffer, sizeof(buffer));
      if (count <= 0) break;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }

  int reader_ = -1;
  int stderr_ = -1;
  const Logger logger_ = StderrLogger();
};

TEST_F(StderrLoggerTest, ALineHasItsTimeAndLevel) {
  logger_(LogLevel::kDebug, "left out");
  logger_(LogLevel::kWarning, "two\nlines");
  EXPECT_THAT(ReadUntil("\n"), ContainsRegex("^20[-0-9]*T[0-9:.]*Z warning two lines\n$"));
}

TEST_F(StderrLoggerTest, NobodyWaitsForAReaderAndWhatIsMissingIsCounted) {
  for (int i = 0; i < 20'000; ++i) logger_(LogLevel::kInfo, "a line of some length, as they are");
  EXPECT_THAT(ReadUntil("dropped: whoever reads stderr does not keep up\n"),
              ContainsRegex("warning [1-9][0-9]* lines of the log dropped"));
  logger_(LogLevel::kInfo, "next");
  EXPECT_THAT(ReadUntil("next\n"), EndsWith("info next\n"));
}

TEST(StderrLoggerDeathTest, AProcessThatExitsLosesNoLine) {
  EXPECT_EXIT(
      {
        for (int i = 0; i < 1'000; ++i) StderrLogger()(LogLevel::kInfo, absl::StrCat("line ", i));
        exit(0);
      },
      testing::ExitedWithCode(0), "line 999\n");
}

}  // namespace
}  // namespace atomemo
