#ifndef ATOMEMO_SDK_CPP_SRC_BRIDGE_HUB_H_
#define ATOMEMO_SDK_CPP_SRC_BRIDGE_HUB_H_

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "atomemo/log.h"
#include "sdk-cpp/src/call_data.h"
#include "sdk-cpp/src/session.h"

namespace atomemo::internal {

// What the bridge does for handlers, over whichever session is open when they ask. Thread-safe.
class BridgeHub final : public HubApi {
 public:
  explicit BridgeHub(Logger logger) : logger_(std::move(logger)) {}

  // Null while there is no session: calls are then answered with UNAVAILABLE.
  void SetConnection(std::shared_ptr<const Connection> connection) ABSL_LOCKS_EXCLUDED(mutex_);

  absl::StatusOr<Json> CallHub(CallControl& control, absl::string_view event, const Json& data,
                               std::optional<absl::Duration> timeout) override;
  absl::StatusOr<File> DownloadFile(CallControl& control, const FileRef& file,
                                    const ChunkSink& sink) override;
  absl::StatusOr<FileRef> UploadFile(CallControl& control, const FileUpload& file) override;
  void Log(absl::string_view line) override;

 private:
  absl::StatusOr<std::shared_ptr<const Connection>> Connected() const ABSL_LOCKS_EXCLUDED(mutex_);

  const Logger logger_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Connection> connection_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_BRIDGE_HUB_H_
