#ifndef ATOMEMO_TESTS_BRIDGE_JOURNAL_JOURNAL_FIXTURE_H_
#define ATOMEMO_TESTS_BRIDGE_JOURNAL_JOURNAL_FIXTURE_H_

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/journal/call_journal_file.h"
#include "bridge/journal/journal_memory.h"

namespace atomemo::journal {

inline constexpr char kTopic[] = "debug_plugin:weather";
inline constexpr absl::Duration kPatience = absl::Seconds(30);

// No file may grow beyond `bytes` meanwhile.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_ = {};
};

// In a folder of the disk, with the notes of the last moments in /dev/shm; or in a folder that is
// memory itself.
class JournalFixture : public ::testing::TestWithParam<const char*> {
 protected:
  JournalFixture() {
    std::string name = absl::StrCat(GetParam(), "/atomemo-XXXXXX");
    folder_ = mkdtemp(name.data());
    Restart();
  }
  ~JournalFixture() override {
    journal_.reset();
    std::filesystem::remove_all(folder_);
  }

  static JournalOptions Options() {
    JournalOptions options;
    options.writer.compact_bytes = 500;
    options.writer.retry = options.writer.max_retry = absl::Milliseconds(1);
    return options;
  }

  // As after the bridge was stopped.
  void Restart() {
    journal_.reset();
    journal_ = std::make_unique<CallJournalFile>([this] { return now_; }, Options());
    auto calls = journal_->Open(path());
    ASSERT_TRUE(calls.ok()) << calls.status();
    left_ = *std::move(calls);
  }

  // Another bridge with the same journal does `what` and is killed right after, with no time for
  // its threads.
  void KillAfter(
      const std::function<void(CallJournalFile&)>& what,
      const std::function<void()>& look = [] {}) {
    journal_.reset();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      CallJournalFile journal([this] { return now_; }, Options());
      if (journal.Open(path()).ok()) what(journal);
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    look();
    Restart();
  }

  // "r1 started 5s" for each call that was left, sorted.
  std::vector<std::string> Left() const {
    std::vector<std::string> lines;
    for (const router::JournaledCall& call : left_) {
      EXPECT_EQ(call.topic, kTopic);
      EXPECT_EQ(call.event, "invoke_tool");
      lines.push_back(absl::StrCat(call.request_id, call.started ? " started " : " waiting ",
                                   absl::FormatDuration(call.time_left),
                                   call.error ? " " + call.error->message() : ""));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  static void Accept(CallJournalFile& journal, const std::string& request_id) {
    journal.Accepted(kTopic, request_id, "invoke_tool", absl::Seconds(60));
  }
  void Accept(const std::string& request_id) { Accept(*journal_, request_id); }

  // Puts the text in the journal's place while no bridge runs.
  void Write(const std::string& text) {
    journal_.reset();
    std::ofstream(path()) << text;
  }
  absl::Status OpenAgain() {
    journal_ = std::make_unique<CallJournalFile>([this] { return now_; }, Options());
    auto calls = journal_->Open(path());
    if (calls.ok()) left_ = *std::move(calls);
    return calls.status();
  }

  std::string path() const { return folder_ + "/bridge.journal"; }

  // Where the notes of the last moments are, of the bridge that wrote the file last.
  std::string memory_path() const {
    std::ifstream file(path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::size_t begin = text.find("[\"#\",\"");
    EXPECT_NE(begin, std::string::npos) << text;
    return MemoryPathFor(path(), text.substr(begin + 6, 32));
  }

  std::string folder_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  std::unique_ptr<CallJournalFile> journal_;
  std::vector<router::JournaledCall> left_;
};

// For INSTANTIATE_TEST_SUITE_P.
inline const auto kFolders = ::testing::Values("/tmp", "/dev/shm");
inline std::string NameOfFolder(const ::testing::TestParamInfo<const char*>& folder) {
  return std::string(folder.param) == "/tmp" ? "OnDisk" : "InMemory";
}

}  // namespace atomemo::journal

#endif  // ATOMEMO_TESTS_BRIDGE_JOURNAL_JOURNAL_FIXTURE_H_
