#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_EPOLL_LOOP_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_EPOLL_LOOP_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace atomemo::benchmark {

// Waits for descriptors with epoll and calls who asked. For one thread.
class EpollLoop {
 public:
  // `events` as epoll_wait gave them.
  using OnReady = std::function<void(std::uint32_t events)>;

  EpollLoop();
  ~EpollLoop();
  EpollLoop(const EpollLoop&) = delete;
  EpollLoop& operator=(const EpollLoop&) = delete;

  // The descriptor stays its owner's.
  void Add(int descriptor, std::uint32_t events, OnReady on_ready);
  void Change(int descriptor, std::uint32_t events);
  void Remove(int descriptor);

  // Until Stop. `before_wait` says how long there is nothing else to do.
  void Run(const std::function<absl::Duration()>& before_wait);
  void Stop() { stopped_ = true; }

 private:
  const int epoll_;
  bool stopped_ = false;
  // Shared: one that removes itself still runs.
  absl::flat_hash_map<int, std::shared_ptr<OnReady>> ready_;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_EPOLL_LOOP_H_
