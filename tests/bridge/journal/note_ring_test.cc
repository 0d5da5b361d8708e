#include "bridge/journal/note_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace atomemo::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kSize = 1'024;
constexpr char kGeneration[] = "a generation";

class NoteRingTest : public ::testing::Test {
 protected:
  absl::string_view bytes() const { return {memory_, kSize}; }

  // What another process finds.
  std::vector<std::string> Remains() const {
    absl::StatusOr<RingRemains> remains = NoteRing::Read(bytes(), kGeneration);
    EXPECT_TRUE(remains.ok()) << remains.status();
    return remains.ok() ? remains->records : std::vector<std::string>();
  }

  // Pushes until the ring is full; how many.
  int Fill() {
    int pushed = 0;
    while (ring_.Push(absl::StrCat("record ", pushed))) ++pushed;
    return pushed;
  }

  alignas(64) char memory_[kSize] = {};
  NoteRing ring_{memory_, kSize, kGeneration};
};

TEST_F(NoteRingTest, RecordsComeOutInOrderAndStayUntilTheyAreReleased) {
  EXPECT_TRUE(ring_.empty());
  EXPECT_TRUE(ring_.Push("one"));
  EXPECT_TRUE(ring_.Push(""));
  EXPECT_TRUE(ring_.Push("three"));
  const std::string copy = ring_.Copy();
  std::vector<absl::string_view> records;
  ASSERT_TRUE(SplitRecords(copy, records).ok());
  EXPECT_THAT(records, ElementsAre("one", "", "three"));
  EXPECT_EQ(ring_.Copy(), copy);
  EXPECT_TRUE(ring_.Push("four"));
  ring_.Release(copy.size());
  EXPECT_THAT(Remains(), ElementsAre("four"));
}

TEST_F(NoteRingTest, AFullRingTakesNothingUntilThereIsRoom) {
  const int pushed = Fill();
  EXPECT_GT(pushed, 10);
  EXPECT_EQ(Remains().size(), static_cast<std::size_t>(pushed));
  EXPECT_FALSE(ring_.Push("a longer record"));
  ring_.Release(ring_.Copy().size());
  EXPECT_TRUE(ring_.empty());
  EXPECT_EQ(Fill(), pushed);
}

TEST_F(NoteRingTest, ARecordThatNoRingHoldsIsNotTaken) {
  EXPECT_FALSE(ring_.Push(std::string(kSize, 'x')));
  EXPECT_TRUE(ring_.empty());
}

TEST_F(NoteRingTest, OneThreadPushesWhileAnotherTakes) {
  constexpr int kRecords = 100'000;
  std::thread pushes([this] {
    for (int i = 0; i < kRecords; ++i) {
      while (!ring_.Push(absl::StrCat(i))) std::this_thread::yield();
    }
  });
  for (int next = 0; next < kRecords;) {
    const std::string copy = ring_.Copy();
    std::vector<absl::string_view> records;
    ASSERT_TRUE(SplitRecords(copy, records).ok());
    for (absl::string_view record : records) ASSERT_EQ(record, absl::StrCat(next++));
    ring_.Release(copy.size());
  }
  pushes.join();
}

TEST_F(NoteRingTest, AProcessThatIsKilledAmidManyPushesLeavesWholeRecordsInOrder) {
  void* const shared =
      mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  const absl::string_view left(static_cast<const char*>(shared), kSize);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      NoteRing ring(shared, kSize, kGeneration);
      for (int i = 0;; ++i) {
        while (!ring.Push(absl::StrCat(i, std::string(static_cast<std::size_t>(i % 50), 'x')))) {
          ring.Release(ring.Copy().size());
        }
      }
    }
    // It is amid its pushes once the ring is no other process's.
    while (!NoteRing::Read(left, kGeneration).ok()) std::this_thread::yield();
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    const absl::StatusOr<RingRemains> remains = NoteRing::Read(left, kGeneration);
    ASSERT_TRUE(remains.ok()) << remains.status();
    for (std::size_t i = 0; i < remains->records.size(); ++i) {
      const int first = std::atoi(remains->records[0].c_str());
      const int number = first + static_cast<int>(i);
      EXPECT_EQ(remains->records[i],
                absl::StrCat(number, std::string(static_cast<std::size_t>(number % 50), 'x')));
    }
    std::memset(shared, 0, kSize);
  }
  munmap(shared, kSize);
}

TEST_F(NoteRingTest, WhoeverWritesToTheMemoryConfusesOnlyTheNextProcess) {
  ring_.Push("one");
  std::memset(memory_, 0xff, kSize - 512);  // The header, and where the first records are.
  EXPECT_FALSE(ring_.empty());
  EXPECT_EQ(ring_.Copy().size(), 7u);
  ring_.Release(7);
  EXPECT_TRUE(ring_.empty());
  EXPECT_TRUE(ring_.Push("two"));
  EXPECT_FALSE(NoteRing::Read(bytes(), kGeneration).ok());
}

TEST_F(NoteRingTest, WhatIsLeftSaysWhetherItIsTheWholeTruth) {
  EXPECT_EQ(NoteRing::Read(bytes(), kGeneration)->gaps, kNoGap);
  ring_.AddGap(kOverflowed);
  ring_.AddGap(kNotWritten);
  ring_.RemoveGap(kOverflowed);
  EXPECT_EQ(NoteRing::Read(bytes(), kGeneration)->gaps, kNotWritten);
}

TEST_F(NoteRingTest, AnotherGenerationsRecordsAreNotTaken) {
  ring_.Push("record");
  EXPECT_EQ(NoteRing::Read(bytes(), "another").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(NoteRing::Read(bytes(), "").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(NoteRingTest, BytesThatAreNoRingAreRefused) {
  EXPECT_FALSE(NoteRing::Read("", kGeneration).ok());
  EXPECT_FALSE(NoteRing::Read(std::string(kSize, '\0'), kGeneration).ok());
  EXPECT_FALSE(NoteRing::Read(std::string(kSize, '\xff'), kGeneration).ok());
  EXPECT_FALSE(NoteRing::Read(bytes().substr(0, kSize - 1), kGeneration).ok());
}

TEST_F(NoteRingTest, WhateverAByteIsNothingOutsideIsRead) {
  Fill();
  for (std::size_t place = 0; place < kSize; ++place) {
    for (const char value : {'\0', '\x01', '\x7f', '\xff'}) {
      std::string changed(bytes());
      changed[place] = value;
      (void)NoteRing::Read(changed, kGeneration);
    }
  }
}

}  // namespace
}  // namespace atomemo::journal
