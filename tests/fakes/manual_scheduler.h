#ifndef ATOMEMO_TESTS_FAKES_MANUAL_SCHEDULER_H_
#define ATOMEMO_TESTS_FAKES_MANUAL_SCHEDULER_H_

#include <deque>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "bridge/base/scheduler.h"

namespace atomemo::fakes {

// A Scheduler whose clock only the test turns. Single-threaded: Post, too, is for the test's
// thread.
class ManualScheduler : public base::Scheduler {
 public:
  absl::Time Now() const override { return now_; }

  TimerId After(absl::Duration delay, Task task) override {
    const TimerId id = ++last_id_;
    timers_.emplace(std::make_pair(now_ + std::max(delay, absl::ZeroDuration()), id),
                    std::move(task));
    return id;
  }

  void Cancel(TimerId id) override {
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->first.second == id) {
        timers_.erase(it);
        return;
      }
    }
  }

  void Post(Task task) override { posted_.push_back(std::move(task)); }

  // With RunPosted.
  void RunAside(Task work, Task done) override {
    posted_.emplace_back([this, work = std::move(work), done = std::move(done)] {
      work();
      if (done != nullptr) posted_.push_back(done);
    });
  }

  // Runs what was posted, and what that posts.
  void RunPosted() {
    while (!posted_.empty()) {
      Task task = std::move(posted_.front());
      posted_.pop_front();
      task();
    }
  }

  // Turns the clock, running every task that falls due on the way at its own time.
  void Advance(absl::Duration by) {
    const absl::Time end = now_ + by;
    RunPosted();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      now_ = std::max(now_, timers_.begin()->first.first);
      Task task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      task();
      RunPosted();
    }
    now_ = end;
  }

  // Turns the clock while the io thread is busy: what falls due runs at the next Advance only.
  void AdvanceWithoutRunning(absl::Duration by) { now_ += by; }

  std::size_t pending_timers() const { return timers_.size(); }

 private:
  // Not zero, so that "time zero" is never mistaken for "unset".
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  TimerId last_id_ = kNoTimer;
  std::map<std::pair<absl::Time, TimerId>, Task> timers_;
  std::deque<Task> posted_;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_MANUAL_SCHEDULER_H_
