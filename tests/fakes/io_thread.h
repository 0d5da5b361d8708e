#ifndef ATOMEMO_TESTS_FAKES_IO_THREAD_H_
#define ATOMEMO_TESTS_FAKES_IO_THREAD_H_

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "bridge/base/asio_scheduler.h"

namespace atomemo::fakes {

// A running io thread with its scheduler, for tests of what talks to one.
class IoThread {
 public:
  IoThread() : work_(asio::make_work_guard(io_)), thread_([this] { io_.run(); }) {}

  // Runs what was posted before, then ends.
  ~IoThread() { Stop(); }

  base::Scheduler& scheduler() { return scheduler_; }

  // Runs `task` on the io thread and waits for it.
  void Run(const std::function<void()>& task) {
    std::promise<void> done;
    scheduler_.Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  void Stop() {
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }

 private:
  asio::io_context io_;
  base::AsioScheduler scheduler_{io_};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_IO_THREAD_H_
