#include "bridge/plugin_service/definition_queue.h"

#include <limits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace atomemo::plugin_service {

struct DefinitionQueue::Usage {
  absl::Mutex mutex;
  std::size_t definitions ABSL_GUARDED_BY(mutex) = 0;
  std::size_t bytes ABSL_GUARDED_BY(mutex) = 0;
};

namespace {

// Gives back what it stands for.
template <typename Usage>
DefinitionQueue::Place MakePlace(std::shared_ptr<Usage> usage, std::size_t definitions,
                                 std::size_t bytes) {
  const void* const identity = usage.get();
  return DefinitionQueue::Place(identity, [usage = std::move(usage), definitions, bytes](auto) {
    absl::MutexLock lock(&usage->mutex);
    usage->definitions -= definitions;
    usage->bytes -= bytes;
  });
}

}  // namespace

DefinitionQueue::DefinitionQueue(Limits limits)
    : limits_(limits),
      usage_(std::make_shared<Usage>()),
      thread_(/*threads=*/1, /*max_waiting=*/std::numeric_limits<std::size_t>::max()) {}

absl::StatusOr<DefinitionQueue::Place> DefinitionQueue::Take(std::size_t bytes) {
  {
    absl::MutexLock lock(&usage_->mutex);
    if (usage_->definitions >= limits_.max_definitions) {
      return absl::UnavailableError(absl::StrCat("too many definitions wait to be checked (",
                                                 limits_.max_definitions,
                                                 ", set by --max-waiting-definitions)"));
    }
    if (usage_->bytes > 0 && usage_->bytes + bytes > limits_.max_bytes) {
      return absl::UnavailableError(
          absl::StrCat("definitions that wait to be checked or published hold too many bytes (",
                       limits_.max_bytes, ", set by --max-waiting-definition-bytes)"));
    }
    usage_->definitions += 1;
    usage_->bytes += bytes;
  }
  return MakePlace(usage_, 1, bytes);
}

DefinitionQueue::Place DefinitionQueue::Keep(std::size_t bytes) {
  {
    absl::MutexLock lock(&usage_->mutex);
    usage_->bytes += bytes;
  }
  return MakePlace(usage_, 0, bytes);
}

}  // namespace atomemo::plugin_service
