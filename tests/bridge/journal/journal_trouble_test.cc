// Disks that are full, files that somebody else has touched, and other versions' files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "tests/bridge/journal/journal_fixture.h"

namespace atomemo::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using JournalTroubleTest = JournalFixture;

INSTANTIATE_TEST_SUITE_P(Folder, JournalTroubleTest, kFolders, NameOfFolder);

// ---- The disk

TEST_P(JournalTroubleTest, AfterTheDiskWasFullTheJournalHasTheOpenCallsAgain) {
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

TEST_P(JournalTroubleTest, WhatABridgeCouldNotWriteBeforeItWasKilledIsNotBelieved) {
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

// Else, on a disk that is all but full, it would come and go.
TEST_P(JournalTroubleTest, AFileThatIsMadeAnewHasRoomForWhatComesNext) {
  struct stat info = {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_LT(info.st_size, 100);
  constexpr blkcnt_t kBlock = 512;
  EXPECT_GE(info.st_blocks * kBlock, 16 << 10);
}

TEST_P(JournalTroubleTest, ABridgeThatIsStoppedOnAFullDiskLeavesNothing) {
  Accept("a");
  const std::string memory = memory_path();
  {
    const FullDisk full(0);
    Accept("b");
    ASSERT_TRUE(journal_->Flush(kPatience));
    journal_.reset();
  }
  EXPECT_FALSE(std::filesystem::exists(memory));
  Restart();
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_P(JournalTroubleTest, ADiskThatIsFullAtTheStartDoesNotPreventIt) {
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

TEST_P(JournalTroubleTest, NorIsWhatItFoundBelievedAgainShouldItBeKilledThen) {
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

TEST_P(JournalTroubleTest, NorDoesADiskThatDoesNotAnswerAtTheStart) {
  Accept("earlier");
  journal_.reset();
  absl::Notification answers;
  JournalOptions options = Options();
  options.open_limit = absl::ZeroDuration();
  options.open = [&](const std::string& path, bool sync, const std::string& generation) {
    answers.WaitForNotification();
    return OpenJournal(path, sync, generation);
  };
  {
    CallJournalFile journal([this] { return now_; }, options);
    const auto left = journal.Open(path());
    ASSERT_TRUE(left.ok()) << left.status();
    EXPECT_THAT(*left, IsEmpty());
    EXPECT_FALSE(journal.health().ok);
    EXPECT_THAT(journal.health().problem, HasSubstr("has not come back"));
    Accept(journal, "a");
    Accept(journal, "b");
    journal.Ended(kTopic, "b");
    answers.Notify();
    while (!journal.health().ok) ASSERT_TRUE(journal.Flush(kPatience));
  }
  Restart();
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m"));
}

TEST_P(JournalTroubleTest, WhatIsFoundWhenItAnswersAtLastIsSaid) {
  absl::Notification answers;
  JournalOptions options = Options();
  options.open_limit = absl::ZeroDuration();
  options.open = [&](const std::string& path, bool sync, const std::string& generation) {
    answers.WaitForNotification();
    return OpenJournal(path, sync, generation);
  };
  CallJournalFile journal([this] { return now_; }, options);
  ASSERT_TRUE(journal.Open(path()).ok());
  answers.Notify();
  while (!absl::StrContains(journal.health().problem, "another bridge has locked")) {
    ASSERT_TRUE(journal.Flush(kPatience));
  }
}

TEST_P(JournalTroubleTest, AFileThatWasDeletedIsMadeAgain) {
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

TEST_P(JournalTroubleTest, LinesThatNobodyCanReadAreSkipped) {
  Accept("a");
  journal_.reset();
  std::ofstream(path(), std::ios::app)
      << "nonsense\n[]\n[\"+\",1,2,3,4]\n[\"?\",\"t\",\"r\"]\n[\">\",\"" << kTopic << "\",\"a";
  ASSERT_TRUE(OpenAgain().ok());
  EXPECT_THAT(Left(), ElementsAre("a waiting 1m"));
}

TEST_P(JournalTroubleTest, ADeadlineThatNoCallCanHaveIsCutShort) {
  Write(absl::StrCat("[\"+\",\"", kTopic, "\",\"a\",\"invoke_tool\",9223372036854775807]\n"));
  ASSERT_TRUE(OpenAgain().ok());
  EXPECT_THAT(Left(), ElementsAre("a waiting 24h"));
}

TEST_P(JournalTroubleTest, AFileThatIsNoJournalIsMovedAsideWhole) {
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

TEST_P(JournalTroubleTest, AFileFarBeyondAJournalsSizeIsMovedAside) {
  Write("");
  std::filesystem::resize_file(path(), std::uintmax_t{1} << 40);
  ASSERT_TRUE(OpenAgain().ok());
  EXPECT_THAT(Left(), IsEmpty());
  EXPECT_EQ(std::filesystem::file_size(path() + ".damaged"), std::uintmax_t{1} << 40);
}

TEST_P(JournalTroubleTest, WhatIsNoFileIsRefusedAtOnce) {
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

TEST_P(JournalTroubleTest, ALinkInItsPlaceIsNotFollowed) {
  journal_.reset();
  std::filesystem::remove(path());
  std::ofstream(folder_ + "/precious") << "text";
  std::filesystem::create_symlink(folder_ + "/precious", path());
  EXPECT_FALSE(OpenAgain().ok());
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/precious"), 4u);
}

TEST_P(JournalTroubleTest, RemainsThatSomebodyElseHasWrittenAreIgnored) {
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

TEST_P(JournalTroubleTest, RemainsOfAnEarlierFileAreIgnored) {
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
TEST_P(JournalTroubleTest, AGenerationThatNoBridgeMadeIsIgnored) {
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

TEST_P(JournalTroubleTest, AJournalOfTheVersionWithoutGenerationsIsRead) {
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
TEST_P(JournalTroubleTest, WhatItWritesTheVersionWithoutGenerationsReads) {
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
