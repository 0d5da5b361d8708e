#ifndef ATOMEMO_TESTS_FAKES_FAKE_JOURNAL_STORE_H_
#define ATOMEMO_TESTS_FAKES_FAKE_JOURNAL_STORE_H_

#include <cstddef>
#include <limits>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "bridge/journal/journal_file.h"

namespace atomemo::fakes {

// A disk that is full, or does not come back, as the test says. Thread-safe.
class FakeDisk {
 public:
  // Writes fail from now on, unless `error` is OK.
  void Fail(absl::Status error) {
    absl::MutexLock lock(&mutex_);
    error_ = std::move(error);
  }
  // Writes fail that would need more in all.
  void Limit(std::size_t bytes) {
    absl::MutexLock lock(&mutex_);
    limit_ = bytes;
  }
  // Writes that begin from now on wait until it is unblocked.
  void Block(bool blocked) {
    absl::MutexLock lock(&mutex_);
    blocked_ = blocked;
  }
  // Waits until a write waits.
  void WaitBlocked() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&waiting_));
  }
  // Waits until so many writes have failed in all.
  void WaitFailed(int count) {
    absl::MutexLock lock(&mutex_);
    const auto failed = [this, count] {
      mutex_.AssertHeld();
      return failed_ >= count;
    };
    mutex_.Await(absl::Condition(&failed));
  }

  std::string content() const {
    absl::MutexLock lock(&mutex_);
    return content_;
  }
  int replaced() const {
    absl::MutexLock lock(&mutex_);
    return replaced_;
  }

  absl::Status Write(absl::string_view lines, bool replace) {
    absl::MutexLock lock(&mutex_);
    waiting_ = blocked_;
    const auto unblocked = [this] {
      mutex_.AssertHeld();
      return !blocked_;
    };
    mutex_.Await(absl::Condition(&unblocked));
    waiting_ = false;
    absl::Status error = error_;
    if (lines.size() + (replace ? 0 : content_.size()) > limit_) {
      error = absl::ResourceExhaustedError("no space left");
    }
    if (!error.ok()) {
      ++failed_;
      return error;
    }
    if (replace) content_.clear();
    replaced_ += replace ? 1 : 0;
    content_.append(lines.data(), lines.size());
    return absl::OkStatus();
  }
  void Clear() {
    absl::MutexLock lock(&mutex_);
    content_.clear();
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  std::size_t limit_ ABSL_GUARDED_BY(mutex_) = std::numeric_limits<std::size_t>::max();
  bool blocked_ ABSL_GUARDED_BY(mutex_) = false;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
  int failed_ ABSL_GUARDED_BY(mutex_) = 0;
  int replaced_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string content_ ABSL_GUARDED_BY(mutex_);
};

// A journal's file on such a disk.
class FakeJournalStore : public journal::JournalStore {
 public:
  explicit FakeJournalStore(std::shared_ptr<FakeDisk> disk) : disk_(std::move(disk)) {}
  absl::Status Append(absl::string_view lines) override { return disk_->Write(lines, false); }
  absl::Status Replace(absl::string_view lines) override { return disk_->Write(lines, true); }
  absl::Status Clear() override {
    disk_->Clear();
    return absl::OkStatus();
  }
  void Seal() override {}

 private:
  const std::shared_ptr<FakeDisk> disk_;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_FAKE_JOURNAL_STORE_H_
