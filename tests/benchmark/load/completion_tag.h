#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_COMPLETION_TAG_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_COMPLETION_TAG_H_

#include <grpcpp/completion_queue.h>

#include <functional>
#include <utility>

namespace atomemo::benchmark {

// What a completion queue gives back: a function to call.
class CompletionTag {
 public:
  explicit CompletionTag(std::function<void(bool ok)> on_done) : on_done_(std::move(on_done)) {}
  CompletionTag(const CompletionTag&) = delete;
  CompletionTag& operator=(const CompletionTag&) = delete;

  // Calls tags until the queue is shut down.
  static void RunAll(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) static_cast<CompletionTag*>(tag)->on_done_(ok);
  }

 private:
  const std::function<void(bool)> on_done_;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_COMPLETION_TAG_H_
