// What a bridge that was killed leaves to the next one.
#include "bridge/journal/call_journal_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/bridge/journal/journal_fixture.h"
#include "tests/fakes/captured_log.h"

namespace atomemo::journal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using CallJournalFileTest = JournalFixture;

INSTANTIATE_TEST_SUITE_P(Folder, CallJournalFileTest, kFolders, NameOfFolder);

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
  fakes::CapturedLog log;
  journal_.reset();
  EXPECT_FALSE(std::filesystem::exists(memory));
  EXPECT_THAT(log.Take(), IsEmpty());
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
  fakes::CapturedLog log;
  std::filesystem::remove(memory_path());
  for (const char* id : {"a", "c"}) {
    Accept(id);
    ASSERT_TRUE(journal_->Flush(kPatience));
  }
  journal_->Ended(kTopic, "c");
  const std::vector<std::string> lines = absl::StrSplit(log.Take(), '\n', absl::SkipEmpty());
  EXPECT_THAT(lines, ElementsAre(HasSubstr("may lack the last moments")));
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

}  // namespace
}  // namespace atomemo::journal
