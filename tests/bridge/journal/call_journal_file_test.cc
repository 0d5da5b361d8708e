// What a bridge that was killed leaves to the next one.
#include "bridge/journal/call_journal_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
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
#include "absl/time/clock.h"
#include "bridge/journal/journal_memory.h"

namespace atomemo::journal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kTopic[] = "debug_plugin:weather";
constexpr absl::Duration kPatience = absl::Seconds(30);

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
class CallJournalFileTest : public ::testing::TestWithParam<const char*> {
 protected:
  CallJournalFileTest() {
    std::string name = absl::StrCat(GetParam(), "/atomemo-XXXXXX");
    folder_ = mkdtemp(name.data());
    Restart();
  }
  ~CallJournalFileTest() override {
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

INSTANTIATE_TEST_SUITE_P(Folder, CallJournalFileTest, ::testing::Values("/tmp", "/dev/shm"),
                         [](const auto& folder) {
                           return std::string(folder.param) == "/tmp" ? "OnDisk" : "InMemory";
                         });

TEST_P(CallJournalFileTest, AFreshJournalHasNoCalls) { EXPECT_THAT(Left(), IsEmpty()); }

TEST_P(CallJournalFileTest, OpenCallsAreLeftWithTheTimeThatTheyStillHave) {
  Accept("waits");
  Accept("runs");
  journal_->Started(kTopic, "runs", "worker");
  Accept("done");
  journal_->Started(kTopic, "done", "worker");
  journal_->Ended(kTopic, "done");
  now_ += absl::Seconds(10);
  Restart();
  EXPECT_THAT(Left(), ElementsAre("runs started 50s", "waits waiting 50s"));
}

TEST_P(CallJournalFileTest, WhatIsNotedHasSurvivedTheProcessAtOnce) {
  KillAfter([](CallJournalFile& journal) {
    Accept(journal, "waits");
    Accept(journal, "done");
    journal.Ended(kTopic, "done");
    Accept(journal, "runs");
    journal.Started(kTopic, "runs", "worker");
  });
  EXPECT_THAT(Left(), ElementsAre("runs started 1m", "waits waiting 1m"));
}

TEST_P(CallJournalFileTest, AKillAmidManyNotesLosesNone) {
  constexpr int kCalls = 2'000;
  for (int round = 0; round < 5; ++round) {
    KillAfter([round](CallJournalFile& journal) {
      for (int i = 0; i < kCalls; ++i) {
        const std::string id = absl::StrCat("call-", round, "-", i);
        Accept(journal, id);
        journal.Started(kTopic, id, "worker");
        if (i != round) journal.Ended(kTopic, id);
      }
    });
    EXPECT_THAT(left_, SizeIs(round + 1));
    EXPECT_THAT(Left(), Contains(absl::StrCat("call-", round, "-", round, " started 1m")));
  }
}

TEST_P(CallJournalFileTest, WhatWasLeftStaysUntilItHasEnded) {
  Accept("a");
  Restart();
  Restart();
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m"));
  journal_->Ended(kTopic, "a");
  Restart();
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_P(CallJournalFileTest, AnErrorThatWasDecidedIsKeptThroughCompactionToo) {
  Accept("a");
  router::pb::PluginError error;
  error.set_code("sdk:timeout");
  error.set_message("did not answer \"in time\"");
  journal_->Failed(kTopic, "a", error);
  Restart();
  Restart();
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m did not answer \"in time\""));
  EXPECT_EQ(left_[0].error->code(), "sdk:timeout");
}

TEST_P(CallJournalFileTest, TheLastWorkerOfACallIsKeptThroughCompactionToo) {
  Accept("a");
  journal_->Started(kTopic, "a", "first");
  journal_->Started(kTopic, "a", "\"second\"");
  Restart();
  Restart();
  ASSERT_THAT(Left(), ElementsAre("a started 1m"));
  EXPECT_EQ(left_[0].instance_id, "\"second\"");
}

TEST_P(CallJournalFileTest, AnyRequestIdIsKeptAsItIs) {
  const std::string id = "a\"b\\c\nd\te \xc3\xa9";
  Accept(id);
  Restart();
  EXPECT_THAT(Left(), ElementsAre(id + " waiting 1m"));
}

TEST_P(CallJournalFileTest, TheFileDoesNotGrowWithCallsThatHaveEnded) {
  Accept("stays");
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = absl::StrCat("call-", i);
    Accept(id);
    journal_->Started(kTopic, id, "worker");
    journal_->Ended(kTopic, id);
    if (i % 10 == 0) {
      ASSERT_TRUE(journal_->Flush(kPatience));
    }
  }
  ASSERT_TRUE(journal_->Flush(kPatience));
  EXPECT_LT(std::filesystem::file_size(path()), 3'000);
  Restart();
  EXPECT_THAT(Left(), ElementsAre("stays waiting 1m"));
}

TEST_P(CallJournalFileTest, WithSyncItSaysTheSame) {
  journal_.reset();
  JournalOptions options = Options();
  options.sync = true;
  {
    CallJournalFile journal([this] { return now_; }, options);
    ASSERT_TRUE(journal.Open(path()).ok());
    Accept(journal, "a");
    EXPECT_TRUE(journal.Flush(kPatience));
    EXPECT_THAT(journal.health().problem, IsEmpty());
  }
  Restart();
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m"));
}

TEST_P(CallJournalFileTest, ASecondBridgeIsRefusedAndToldWhy) {
  CallJournalFile second(absl::Now);
  const auto calls = second.Open(path());
  EXPECT_EQ(calls.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(calls.status().message()), HasSubstr("another bridge"));
  EXPECT_THAT(std::string(calls.status().message()), HasSubstr(path()));
}

TEST_P(CallJournalFileTest, AFileThatCannotBeMadeIsNamedWithTheFlag) {
  CallJournalFile journal(absl::Now);
  const auto calls = journal.Open(folder_ + "/missing/journal");
  EXPECT_EQ(calls.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(calls.status().message()), HasSubstr("--journal"));
}

TEST_P(CallJournalFileTest, OnlyItsOwnerMayReadIt) {
  Accept("a");
  for (const std::string& file : {path(), memory_path()}) {
    struct stat info = {};
    ASSERT_EQ(stat(file.c_str(), &info), 0) << file;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file;
  }
}

TEST_P(CallJournalFileTest, NothingOfItIsLeftInMemoryByABridgeThatWasStopped) {
  Accept("a");
  const std::string memory = memory_path();
  EXPECT_TRUE(std::filesystem::exists(memory));
  journal_.reset();
  EXPECT_FALSE(std::filesystem::exists(memory));
}

TEST_P(CallJournalFileTest, NorOfOneThatWasKilledOnceTheNextOneHasTakenOver) {
  std::string memory;
  KillAfter([](CallJournalFile& journal) { Accept(journal, "a"); },
            [&] { memory = memory_path(); });
  EXPECT_THAT(memory, Not(IsEmpty()));
  EXPECT_FALSE(std::filesystem::exists(memory));
  EXPECT_TRUE(std::filesystem::exists(memory_path()));
}

TEST_P(CallJournalFileTest, MemoryOfBridgesWithoutSuccessorIsFreedADayLater) {
  const std::string abandoned = MemoryPathFor(path(), std::string(32, 'a'));
  const std::string recent = MemoryPathFor(path(), std::string(32, 'b'));
  const std::string living = memory_path();
  std::ofstream(abandoned) << "x";
  std::ofstream(recent) << "x";
  for (const std::string& file : {abandoned, living}) {
    const timespec yesterday[] = {{time(nullptr) - 25 * 3600, 0}, {time(nullptr) - 25 * 3600, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), yesterday, 0), 0);
  }
  CallJournalFile another([this] { return now_; }, Options());
  ASSERT_TRUE(another.Open(folder_ + "/bridge.journal2").ok());
  RemoveAbandonedFiles(living, absl::Now());
  EXPECT_FALSE(std::filesystem::exists(abandoned));
  EXPECT_TRUE(std::filesystem::exists(living));
  EXPECT_TRUE(std::filesystem::exists(recent));
  std::filesystem::remove(recent);
}

TEST_P(CallJournalFileTest, MemoryThatSomebodyHasRemovedIsNoFailureButIsSaid) {
  EXPECT_THAT(journal_->health().problem, IsEmpty());
  std::filesystem::remove(memory_path());
  Accept("a");
  ASSERT_TRUE(journal_->Flush(kPatience));
  EXPECT_TRUE(journal_->health().ok);
  EXPECT_THAT(journal_->health().problem, HasSubstr("somebody has removed"));
  KillAfter([this](CallJournalFile& journal) {
    std::filesystem::remove(memory_path());
    Accept(journal, "b");
    journal.Flush(kPatience);
  });
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m", "b waiting 1m"));
}

TEST_P(CallJournalFileTest, WhatIsNotOpenNotesNothing) {
  CallJournalFile journal(absl::Now);
  journal.Accepted(kTopic, "a", "invoke_tool", absl::Seconds(1));
  journal.Started(kTopic, "a", "worker");
  journal.Ended(kTopic, "a");
}

// ---- The disk

TEST_P(CallJournalFileTest, AfterTheDiskWasFullTheJournalHasTheOpenCallsAgain) {
  Accept("ends");
  Accept("stays");
  ASSERT_TRUE(journal_->Flush(kPatience));
  {
    const FullDisk full(100);
    Accept("late");
    EXPECT_TRUE(journal_->Flush(kPatience));
    EXPECT_FALSE(journal_->health().ok);
    EXPECT_THAT(journal_->health().problem, HasSubstr("cannot write the journal"));
    journal_->Ended(kTopic, "ends");
  }
  while (!journal_->health().ok) ASSERT_TRUE(journal_->Flush(kPatience));
  KillAfter([](CallJournalFile&) {});
  EXPECT_THAT(Left(), ElementsAre("late waiting 1m", "stays waiting 1m"));
}

TEST_P(CallJournalFileTest, WhatABridgeCouldNotWriteBeforeItWasKilledIsNotBelieved) {
  Accept("answered later");
  KillAfter([](CallJournalFile& journal) {
    const FullDisk full(50);
    Accept(journal, "not written");
    journal.Flush(kPatience);
    journal.Ended(kTopic, "answered later");
    kill(getpid(), SIGKILL);
  });
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_P(CallJournalFileTest, ADiskThatIsFullAtTheStartDoesNotPreventIt) {
  Accept("ends");
  Accept("stays");
  journal_.reset();
  {
    const FullDisk full(60);
    ASSERT_TRUE(OpenAgain().ok());
    EXPECT_THAT(Left(), ElementsAre("ends waiting 1m", "stays waiting 1m"));
    EXPECT_FALSE(journal_->health().ok);
    EXPECT_THAT(journal_->health().problem, HasSubstr("cannot write the journal"));
    journal_->Ended(kTopic, "ends");
  }
  while (!journal_->health().ok) ASSERT_TRUE(journal_->Flush(kPatience));
  Restart();
  EXPECT_THAT(Left(), ElementsAre("stays waiting 1m"));
}

TEST_P(CallJournalFileTest, NorIsWhatItFoundBelievedAgainShouldItBeKilledThen) {
  Accept("answered later");
  journal_.reset();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const FullDisk full(60);
    CallJournalFile journal([this] { return now_; }, Options());
    if (!journal.Open(path()).ok()) _exit(1);
    journal.Ended(kTopic, "answered later");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  Restart();
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_P(CallJournalFileTest, AFileThatWasDeletedIsMadeAgain) {
  Accept("a");
  ASSERT_TRUE(journal_->Flush(kPatience));
  std::filesystem::remove(path());
  Accept("b");
  ASSERT_TRUE(journal_->Flush(kPatience));
  while (!journal_->health().ok) ASSERT_TRUE(journal_->Flush(kPatience));
  Restart();
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m", "b waiting 1m"));
}

// ---- What somebody else has put in its place

TEST_P(CallJournalFileTest, LinesThatNobodyCanReadAreSkipped) {
  Accept("a");
  journal_.reset();
  std::ofstream(path(), std::ios::app)
      << "nonsense\n[]\n[\"+\",1,2,3,4]\n[\"?\",\"t\",\"r\"]\n[\">\",\"" << kTopic << "\",\"a";
  ASSERT_TRUE(OpenAgain().ok());
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m"));
}

TEST_P(CallJournalFileTest, AFileThatIsNoJournalIsMovedAsideWhole) {
  for (const std::string& text :
       {std::string("precious"), std::string(100'000, '\0'), std::string("{\"a\":\n1}\n"),
        std::string(300'000, '['), std::string("\xff\xfe\n\x00\n", 5)}) {
    Write(text);
    ASSERT_TRUE(OpenAgain().ok());
    EXPECT_THAT(Left(), IsEmpty());
    std::ifstream aside(path() + ".damaged");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(aside), {}), text);
    Accept("a");
    Restart();
    EXPECT_THAT(Left(), ElementsAre("a waiting 1m"));
  }
}

TEST_P(CallJournalFileTest, AFileFarBeyondAJournalsSizeIsMovedAside) {
  Write("");
  std::filesystem::resize_file(path(), std::uintmax_t{1} << 40);
  ASSERT_TRUE(OpenAgain().ok());
  EXPECT_THAT(Left(), IsEmpty());
  EXPECT_EQ(std::filesystem::file_size(path() + ".damaged"), std::uintmax_t{1} << 40);
}

TEST_P(CallJournalFileTest, WhatIsNoFileIsRefusedAtOnce) {
  journal_.reset();
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_FALSE(OpenAgain().ok());
  std::filesystem::remove(path());
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_THAT(std::string(OpenAgain().message()), HasSubstr("not a regular file"));
  std::filesystem::remove(path());
  EXPECT_TRUE(OpenAgain().ok());
}

TEST_P(CallJournalFileTest, ALinkInItsPlaceIsNotFollowed) {
  journal_.reset();
  std::filesystem::remove(path());
  std::ofstream(folder_ + "/precious") << "text";
  std::filesystem::create_symlink(folder_ + "/precious", path());
  EXPECT_FALSE(OpenAgain().ok());
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/precious"), 4u);
}

TEST_P(CallJournalFileTest, RemainsThatSomebodyElseHasWrittenAreIgnored) {
  const std::vector<std::function<void(const std::string&)>> changes = {
      [](const std::string& file) { std::filesystem::resize_file(file, 1); },
      [](const std::string& file) { std::ofstream(file) << std::string(1 << 20, '\xff'); },
      [](const std::string& file) {
        std::filesystem::remove(file);
        ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
      },
      [this](const std::string& file) {
        std::filesystem::remove(file);
        std::filesystem::create_symlink(path(), file);
      }};
  Accept("in the file");
  for (const auto& change : changes) {
    const auto noted = [](CallJournalFile& journal) { Accept(journal, "in memory"); };
    KillAfter(noted, [&] {
      // As if the file had got nothing of it.
      std::ifstream file(path());
      std::string text(std::istreambuf_iterator<char>(file), {});
      text.resize(
          std::min(text.size(), text.find("[\"+\",\"" + std::string(kTopic) + "\",\"in memory")));
      change(memory_path());
      std::ofstream(path()) << text;
    });
    EXPECT_THAT(Left(), ElementsAre("in the file waiting 1m"));
  }
}

TEST_P(CallJournalFileTest, RemainsOfAnEarlierFileAreIgnored) {
  std::string earlier;
  KillAfter([](CallJournalFile& journal) { Accept(journal, "a"); },
            [&] { std::filesystem::copy_file(memory_path(), folder_ + "/kept"); });
  journal_->Ended(kTopic, "a");
  KillAfter([](CallJournalFile&) {},
            [&] {
              std::filesystem::copy_file(folder_ + "/kept", memory_path(),
                                         std::filesystem::copy_options::overwrite_existing);
            });
  EXPECT_THAT(Left(), IsEmpty());
}

// A line that says what it is in the file becomes part of no path unless a bridge made it.
TEST_P(CallJournalFileTest, AGenerationThatNoBridgeMadeIsIgnored) {
  std::ofstream(folder_ + "/precious") << "text";
  for (const char* generation :
       {"../precious", "/../precious", "x", "0123456789ABCDEF0123456789ABCDEF"}) {
    Write(absl::StrCat("[\"#\",\"", generation, "\"]\n[\"+\",\"", kTopic,
                       "\",\"a\",\"invoke_tool\",1700000060000]\n"));
    ASSERT_TRUE(OpenAgain().ok());
    EXPECT_THAT(Left(), ElementsAre("a waiting 1m"));
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/precious"));
}

// ---- Other versions of the bridge

TEST_P(CallJournalFileTest, AJournalOfTheVersionWithoutGenerationsIsRead) {
  const std::string before = absl::StrCat(
      "[\"+\",\"", kTopic, "\",\"a\",\"invoke_tool\",1700000060000]\n[\">\",\"", kTopic,
      "\",\"a\",\"worker\"]\n[\"+\",\"", kTopic, "\",\"b\",\"invoke_tool\",1700000060000]\n",
      "[\"!\",\"", kTopic, "\",\"b\",\"GgRsYXRl\"]\n[\"+\",\"", kTopic,
      "\",\"c\",\"invoke_tool\",1700000060000]\n[\"-\",\"", kTopic, "\",\"c\"]\n");
  Write(before);
  ASSERT_TRUE(OpenAgain().ok());
  EXPECT_THAT(Left(), ElementsAre("a started 1m", "b waiting 1m late"));
}

// The version without generations skipped arrays of fewer than three elements.
TEST_P(CallJournalFileTest, WhatItWritesTheVersionWithoutGenerationsReads) {
  Accept("a");
  journal_.reset();
  std::ifstream file(path());
  std::vector<std::string> notes;
  for (std::string line; std::getline(file, line);) {
    if (std::count(line.begin(), line.end(), ',') >= 2) notes.push_back(line);
  }
  EXPECT_THAT(notes, ElementsAre(absl::StrCat("[\"+\",\"", kTopic,
                                              "\",\"a\",\"invoke_tool\",1700000060000]")));
}

}  // namespace
}  // namespace atomemo::journal
