#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_DEFINITION_QUEUE_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_DEFINITION_QUEUE_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "bridge/plugin_service/thread_pool.h"

namespace atomemo::plugin_service {

// Where definitions are judged: that may take long, so it happens on a thread of its own, in the
// order in which they come (a session's parts stay in order), and what waits for it is bounded.
// Thread-safe.
class DefinitionQueue {
 public:
  struct Limits {
    std::size_t max_definitions;
    std::size_t max_bytes;
  };

  // Room for one definition. It is given back when the last copy goes, also after the queue.
  using Place = std::shared_ptr<const void>;

  explicit DefinitionQueue(Limits limits);

  // Takes a place for a definition that is to be judged. UNAVAILABLE, naming the flag, if there is
  // none. One that is too large by itself gets a place when there is no other.
  absl::StatusOr<Place> Take(std::size_t bytes);

  // Counts what a session keeps of its definitions until it publishes; never refused.
  Place Keep(std::size_t bytes);

  // Runs a task of a definition that has its place. False, and the task is dropped, after Stop.
  bool Run(std::function<void()> task) { return thread_.Run(std::move(task)); }

  // Drops what waits and returns when what runs has ended. Idempotent.
  void Stop() { thread_.Stop(); }

 private:
  struct Usage;

  const Limits limits_;
  const std::shared_ptr<Usage> usage_;
  ThreadPool thread_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_DEFINITION_QUEUE_H_
