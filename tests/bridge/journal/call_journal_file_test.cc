// What a bridge that was killed leaves to the next one.
#include "bridge/journal/call_journal_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace atomemo::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kTopic[] = "debug_plugin:weather";

class CallJournalFileTest : public ::testing::Test {
 protected:
  CallJournalFileTest() {
    char name[] = "/tmp/atomemo-XXXXXX";
    folder_ = mkdtemp(name);
    Restart();
  }
  ~CallJournalFileTest() override { std::filesystem::remove_all(folder_); }

  // As after the bridge was killed: nothing but the file is left.
  void Restart() {
    journal_.reset();
    journal_ = std::make_unique<CallJournalFile>([this] { return now_; }, /*compact_bytes=*/500);
    auto calls = journal_->Open(path());
    ASSERT_TRUE(calls.ok()) << calls.status();
    left_ = *std::move(calls);
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

  void Accept(const std::string& request_id) {
    journal_->Accepted(kTopic, request_id, "invoke_tool", absl::Seconds(60));
  }

  std::string path() const { return folder_ + "/bridge.journal"; }

  std::string folder_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  std::unique_ptr<CallJournalFile> journal_;
  std::vector<router::JournaledCall> left_;
};

TEST_F(CallJournalFileTest, AFreshJournalHasNoCalls) { EXPECT_THAT(Left(), IsEmpty()); }

TEST_F(CallJournalFileTest, OpenCallsAreLeftWithTheTimeThatTheyStillHave) {
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

TEST_F(CallJournalFileTest, WhatWasLeftStaysUntilItHasEnded) {
  Accept("a");
  Restart();
  Restart();
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m"));
  journal_->Ended(kTopic, "a");
  Restart();
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(CallJournalFileTest, AnErrorThatWasDecidedIsKeptThroughCompactionToo) {
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

TEST_F(CallJournalFileTest, TheLastWorkerOfACallIsKeptThroughCompactionToo) {
  Accept("a");
  journal_->Started(kTopic, "a", "first");
  journal_->Started(kTopic, "a", "\"second\"");
  Restart();
  Restart();
  ASSERT_THAT(Left(), ElementsAre("a started 1m"));
  EXPECT_EQ(left_[0].instance_id, "\"second\"");
}

TEST_F(CallJournalFileTest, AnyRequestIdIsKeptAsItIs) {
  const std::string id = "a\"b\\c\nd\te \xc3\xa9";
  Accept(id);
  Restart();
  EXPECT_THAT(Left(), ElementsAre(id + " waiting 1m"));
}

TEST_F(CallJournalFileTest, TheFileDoesNotGrowWithCallsThatHaveEnded) {
  Accept("stays");
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = absl::StrCat("call-", i);
    Accept(id);
    journal_->Started(kTopic, id, "worker");
    journal_->Ended(kTopic, id);
  }
  EXPECT_LT(std::filesystem::file_size(path()), 1'000);
  Restart();
  EXPECT_THAT(Left(), ElementsAre("stays waiting 1m"));
}

TEST_F(CallJournalFileTest, LinesThatNobodyCanReadAreSkipped) {
  Accept("a");
  std::ofstream(path(), std::ios::app)
      << "nonsense\n[]\n[\"+\",1,2,3,4]\n[\"?\",\"t\",\"r\"]\n[\">\",\"" << kTopic << "\",\"a";
  Restart();
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m"));
}

TEST_F(CallJournalFileTest, ASecondBridgeIsRefusedAndToldWhy) {
  CallJournalFile second(absl::Now);
  const auto calls = second.Open(path());
  EXPECT_EQ(calls.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(calls.status().message()), HasSubstr("another bridge"));
  EXPECT_THAT(std::string(calls.status().message()), HasSubstr(path()));
}

TEST_F(CallJournalFileTest, AFileThatCannotBeMadeIsNamedWithTheFlag) {
  CallJournalFile journal(absl::Now);
  const auto calls = journal.Open(folder_ + "/missing/journal");
  EXPECT_EQ(calls.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(calls.status().message()), HasSubstr("--journal"));
}

TEST_F(CallJournalFileTest, OnlyItsOwnerMayReadIt) {
  Accept("a");
  struct stat info = {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(CallJournalFileTest, WhatIsNotOpenNotesNothing) {
  CallJournalFile journal(absl::Now);
  journal.Accepted(kTopic, "a", "invoke_tool", absl::Seconds(1));
  journal.Started(kTopic, "a", "worker");
  journal.Ended(kTopic, "a");
}

TEST_F(CallJournalFileTest, ALinkInItsPlaceIsNotFollowed) {
  CallJournalFile journal(absl::Now);
  std::ofstream(folder_ + "/precious") << "text";
  std::filesystem::create_symlink(folder_ + "/precious", folder_ + "/link");
  EXPECT_FALSE(journal.Open(folder_ + "/link").ok());
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/precious"), 4u);
}

TEST_F(CallJournalFileTest, WhenTheDiskIsFullTheJournalEndsAndLeavesNothingThatIsNoLongerSo) {
  Accept("answered later");
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit = {};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = 100;
  setrlimit(RLIMIT_FSIZE, &limit);
  Accept("not noted");
  Accept("not noted either");
  limit.rlim_cur = before;
  setrlimit(RLIMIT_FSIZE, &limit);
  journal_->Ended(kTopic, "answered later");
  Restart();
  EXPECT_THAT(Left(), IsEmpty());
}

}  // namespace
}  // namespace atomemo::journal
