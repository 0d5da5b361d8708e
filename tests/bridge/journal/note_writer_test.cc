// The journal's two threads, over a disk that blocks and fails as the test says.
#include "bridge/journal/note_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/fakes/captured_log.h"
#include "tests/fakes/fake_journal_store.h"

namespace atomemo::journal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kTopic[] = "debug_plugin:weather";
constexpr char kGeneration[] = "generation";
constexpr std::size_t kMemory = 4'096;
constexpr absl::Duration kPatience = absl::Seconds(30);

class NoteWriterTest : public ::testing::Test {
 protected:
  NoteWriterTest() { StartWriter(OpenCalls()); }
  ~NoteWriterTest() override {
    disk_->Block(false);
    EXPECT_TRUE(writer_->Stop(kPatience));
  }

  void StartWriter(OpenCalls calls, absl::Status first_write = absl::OkStatus()) {
    NoteWriter::Options options;
    options.compact_bytes = 2'000;
    options.retry = absl::Milliseconds(1);
    options.max_retry = absl::Milliseconds(3);
    options.stalled_after = absl::ZeroDuration();
    if (writer_ != nullptr) {
      ASSERT_TRUE(writer_->Stop(kPatience));
    }
    auto memory = std::make_unique<JournalMemory>("", kMemory);
    memory_ = static_cast<const char*>(memory->data());
    writer_ = NoteWriter::Start(std::make_unique<fakes::FakeJournalStore>(disk_), std::move(memory),
                                kGeneration, std::move(calls), options, std::move(first_write));
  }

  void Accept(const std::string& id) {
    writer_->Add({NoteKind::kAccepted, kTopic, id, "invoke_tool", 1});
  }
  void Start(const std::string& id) { writer_->Add({NoteKind::kStarted, kTopic, id, "worker"}); }
  void End(const std::string& id) { writer_->Add({NoteKind::kEnded, kTopic, id}); }
  // So many calls begin and end: far more than the ring holds.
  void BeginAndEndMany(const std::string& prefix) {
    for (int i = 0; i < 1'000; ++i) {
      const std::string id = absl::StrCat(prefix, i);
      Accept(id);
      Start(id);
      End(id);
    }
  }

  // The ids of the calls that are open after what the disk has, those that a worker has with a "*".
  std::vector<std::string> Open() const {
    OpenCalls calls;
    for (absl::string_view line : absl::StrSplit(disk_->content(), '\n', absl::SkipEmpty())) {
      const std::optional<OwnedNote> note = ParseNoteLine(line);
      EXPECT_TRUE(note.has_value()) << line;
      if (note.has_value()) calls.Apply(note->view());
    }
    std::vector<std::string> ids;
    for (const router::JournaledCall& call : calls.Calls(absl::UnixEpoch())) {
      ids.push_back(call.request_id + (call.started ? "*" : ""));
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  // What the next process would be told if this one were killed now.
  std::uint32_t Gaps() const {
    return NoteRing::Read(absl::string_view(memory_, kMemory), kGeneration)->gaps;
  }

  const std::shared_ptr<fakes::FakeDisk> disk_ = std::make_shared<fakes::FakeDisk>();
  const char* memory_ = nullptr;
  std::shared_ptr<NoteWriter> writer_;
};

TEST_F(NoteWriterTest, NotesReachTheDisk) {
  Accept("a");
  Start("a");
  Accept("b");
  Accept("c");
  End("c");
  ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_THAT(Open(), ElementsAre("a*", "b"));
  EXPECT_TRUE(writer_->health().ok);
}

TEST_F(NoteWriterTest, NotesOfUnknownCallsAreNotWritten) {
  Start("a");
  End("a");
  ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_THAT(disk_->content(), IsEmpty());
}

TEST_F(NoteWriterTest, WhatHasEndedIsCompactedAway) {
  Accept("stays");
  for (int round = 0; round < 10; ++round) {
    BeginAndEndMany(absl::StrCat("round-", round, "-"));
    ASSERT_TRUE(writer_->Flush(kPatience));
  }
  EXPECT_GT(disk_->replaced(), 0);
  EXPECT_THAT(Open(), ElementsAre("stays"));
}

TEST_F(NoteWriterTest, ADiskThatDoesNotComeBackHoldsUpNobodyAndNothingIsLostWhenItDoes) {
  Accept("ends");
  Accept("stays");
  Accept("starts");
  ASSERT_TRUE(writer_->Flush(kPatience));
  disk_->Block(true);
  Accept("blocks");
  disk_->WaitBlocked();
  BeginAndEndMany("many-");
  End("ends");
  Start("starts");
  Accept("late");
  Start("late");
  EXPECT_FALSE(writer_->health().ok);
  EXPECT_THAT(writer_->health().problem, HasSubstr("has not come back"));
  EXPECT_EQ(Gaps(), kOverflowed);
  EXPECT_FALSE(writer_->Flush(absl::ZeroDuration()));

  disk_->Block(false);
  ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_THAT(Open(), ElementsAre("blocks", "late*", "starts*", "stays"));
  EXPECT_TRUE(writer_->health().ok);
  EXPECT_EQ(Gaps(), kNoGap);
}

TEST_F(NoteWriterTest, ACallThatBeginsAnewWhileTheRingIsFullIsOpen) {
  Accept("again");
  ASSERT_TRUE(writer_->Flush(kPatience));
  disk_->Block(true);
  Accept("blocks");
  disk_->WaitBlocked();
  BeginAndEndMany("many-");
  for (int i = 0; i < 3; ++i) {
    End("again");
    Accept("again");
  }
  disk_->Block(false);
  ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_THAT(Open(), ElementsAre("again", "blocks"));
}

// As when the hub cannot take its answer, and gets an error in its place.
TEST_F(NoteWriterTest, ACallThatIsTakenTwiceAndEndsWhileTheRingIsFullHasEnded) {
  Accept("twice");
  ASSERT_TRUE(writer_->Flush(kPatience));
  disk_->Block(true);
  Accept("blocks");
  disk_->WaitBlocked();
  BeginAndEndMany("many-");
  Accept("twice");
  End("twice");
  disk_->Block(false);
  ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_THAT(Open(), ElementsAre("blocks"));
}

TEST_F(NoteWriterTest, TheGapIsClosedThoughNotesNeverCease) {
  disk_->Block(true);
  Accept("blocks");
  disk_->WaitBlocked();
  BeginAndEndMany("many-");
  EXPECT_EQ(Gaps(), kOverflowed);
  disk_->Block(false);
  const absl::Time limit = absl::Now() + kPatience;
  for (int i = 0; Gaps() != kNoGap && absl::Now() < limit; ++i) Accept(absl::StrCat("call-", i));
  EXPECT_EQ(Gaps(), kNoGap);
}

TEST_F(NoteWriterTest, ACallsNotesKeepTheirOrderThroughEveryWayTheyGo) {
  for (int round = 0; round < 20; ++round) {
    disk_->Block(true);
    for (int i = 0; i < 200; ++i) {
      const std::string id = absl::StrCat("call-", i);
      Accept(id);
      Start(id);
      End(id);
    }
    disk_->Block(false);
    Accept("last");
    ASSERT_TRUE(round % 2 == 0 || writer_->Flush(kPatience));
    if (round % 2 != 0) {
      EXPECT_THAT(Open(), ElementsAre("last"));
    }
  }
}

TEST_F(NoteWriterTest, ANoteThatNoRingHoldsIsKept) {
  const std::string id(2 * kMemory, 'x');
  Accept(id);
  Accept("a");
  Start(id);
  ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_THAT(Open(), ElementsAre("a", id + "*"));
}

TEST_F(NoteWriterTest, AFullDiskIsTriedAgainAndThenHasTheOpenCalls) {
  Accept("ends");
  Accept("stays");
  ASSERT_TRUE(writer_->Flush(kPatience));
  disk_->Fail(absl::ResourceExhaustedError("no space left"));
  Accept("new");
  ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_FALSE(writer_->health().ok);
  EXPECT_THAT(writer_->health().problem, HasSubstr("no space left"));
  EXPECT_THAT(disk_->content(), IsEmpty());  // It would be a lie.
  EXPECT_EQ(Gaps(), kNotWritten);
  End("ends");
  BeginAndEndMany("many-");
  disk_->WaitFailed(3);

  disk_->Fail(absl::OkStatus());
  Accept("newer");
  while (disk_->replaced() == 0) ASSERT_TRUE(writer_->Flush(kPatience));
  ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_THAT(Open(), ElementsAre("new", "newer", "stays"));
  EXPECT_TRUE(writer_->health().ok);
  EXPECT_EQ(Gaps(), kNoGap);
}

TEST_F(NoteWriterTest, ADiskThatFailsAgainAndAgainIsTriedLessOften) {
  fakes::CapturedLog log;
  for (int round = 0; round < 3; ++round) {
    disk_->Fail(absl::ResourceExhaustedError("no space left"));
    Accept(absl::StrCat("call-", round));
    ASSERT_TRUE(writer_->Flush(kPatience));
    disk_->Fail(absl::OkStatus());
    while (!writer_->health().ok) ASSERT_TRUE(writer_->Flush(kPatience));
  }
  EXPECT_THAT(log.Take(),
              AllOf(HasSubstr("tried_again_after=1ms"), HasSubstr("tried_again_after=2ms"),
                    HasSubstr("tried_again_after=3ms")));
}

// What is written anew needs less room than what was there.
TEST_F(NoteWriterTest, AJournalThatFillsTheDiskItselfMakesRoomAndIsNeverOff) {
  disk_->Limit(1'500);
  Accept("stays");
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 10; ++i) {
      const std::string id = absl::StrCat("call-", round, "-", i);
      Accept(id);
      End(id);
    }
    ASSERT_TRUE(writer_->Flush(kPatience));
    ASSERT_TRUE(writer_->health().ok) << writer_->health().problem;
  }
  EXPECT_THAT(Open(), ElementsAre("stays"));
  EXPECT_EQ(Gaps(), kNoGap);
}

TEST_F(NoteWriterTest, ADiskThatWasFullFromTheStartHasTheCallsOnceThereIsRoom) {
  disk_->Fail(absl::ResourceExhaustedError("no space left"));
  OpenCalls calls;
  calls.Apply({NoteKind::kAccepted, kTopic, "earlier", "invoke_tool", 1});
  StartWriter(std::move(calls), absl::ResourceExhaustedError("no space left"));
  EXPECT_FALSE(writer_->health().ok);
  EXPECT_EQ(Gaps(), kNotWritten);
  disk_->WaitFailed(2);
  Start("earlier");
  disk_->Fail(absl::OkStatus());
  while (!writer_->health().ok) ASSERT_TRUE(writer_->Flush(kPatience));
  EXPECT_THAT(Open(), ElementsAre("earlier*"));
  EXPECT_EQ(Gaps(), kNoGap);
}

TEST_F(NoteWriterTest, MemoryThatEndsWithTheProcessIsNoFailureButIsSaid) {
  EXPECT_TRUE(writer_->health().ok);
  EXPECT_THAT(writer_->health().problem, HasSubstr("may lack the last moments"));
}

TEST_F(NoteWriterTest, WhenItIsStoppedItTriesAFailingDiskOnceMore) {
  disk_->Fail(absl::ResourceExhaustedError("no space left"));
  Accept("a");
  ASSERT_TRUE(writer_->Flush(kPatience));
  disk_->Fail(absl::OkStatus());
  ASSERT_TRUE(writer_->Stop(kPatience));
  EXPECT_THAT(Open(), ElementsAre("a"));
}

TEST_F(NoteWriterTest, ADiskThatDoesNotComeBackDoesNotHoldUpTheEnd) {
  disk_->Block(true);
  Accept("a");
  disk_->WaitBlocked();
  EXPECT_FALSE(writer_->Stop(absl::ZeroDuration()));
}

}  // namespace
}  // namespace atomemo::journal
