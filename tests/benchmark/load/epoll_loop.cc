#include "tests/benchmark/load/epoll_loop.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace atomemo::benchmark {
namespace {

constexpr int kEventsAtOnce = 64;
// By default the kernel wakes a thread up to 50 µs late.
constexpr unsigned long kTimerSlackNanoseconds = 1000;

}  // namespace

EpollLoop::EpollLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  prctl(PR_SET_TIMERSLACK, kTimerSlackNanoseconds);
}

EpollLoop::~EpollLoop() { close(epoll_); }

void EpollLoop::Add(int descriptor, std::uint32_t events, OnReady on_ready) {
  ready_[descriptor] = std::make_shared<OnReady>(std::move(on_ready));
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
}

void EpollLoop::Change(int descriptor, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void EpollLoop::Remove(int descriptor) {
  ready_.erase(descriptor);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

void EpollLoop::Run(const std::function<absl::Duration()>& before_wait) {
  std::array<epoll_event, kEventsAtOnce> events;
  while (!stopped_) {
    const absl::Duration idle = std::max(before_wait(), absl::ZeroDuration());
    const timespec limit = absl::ToTimespec(idle);
    const timespec* const timeout = idle == absl::InfiniteDuration() ? nullptr : &limit;
    const int count = epoll_pwait2(epoll_, events.data(), kEventsAtOnce, timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const auto found = ready_.find(event.data.fd);
      if (found == ready_.end()) continue;
      const std::shared_ptr<OnReady> on_ready = found->second;
      (*on_ready)(event.events);
    }
  }
}

}  // namespace atomemo::benchmark
