#ifndef ATOMEMO_SDK_CPP_SRC_BRIDGE_HUB_H_
#define ATOMEMO_SDK_CPP_SRC_BRIDGE_HUB_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "atomemo/log.h"
#include "sdk-cpp/src/bridge_stream.h"
#include "sdk-cpp/src/call_data.h"

namespace atomemo::internal {

// What the bridge does for handlers, over whichever session is open when they ask. Thread-safe.
class BridgeHub final : public HubApi {
 public:
  // `send` puts a message on the open session's stream, if there is one.
  BridgeHub(Logger logger, std::function<void(PluginMessagePtr)> send)
      : logger_(std::move(logger)), send_(std::move(send)) {}

  // A session is open. Shared with handlers that move files, and may outlive the session.
  void Attach(std::shared_ptr<pb::PluginService::Stub> stub, std::string session_id)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // It is not any more: calls that wait, and those to come, get UNAVAILABLE.
  void Detach() ABSL_LOCKS_EXCLUDED(mutex_);
  // A `hub_reply` has come.
  void OnReply(BridgeMessagePtr message) ABSL_LOCKS_EXCLUDED(mutex_);

  absl::StatusOr<Json> CallHub(CallControl& control, absl::string_view event, const Json& data,
                               std::optional<absl::Duration> timeout) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<File> DownloadFile(CallControl& control, const FileRef& file,
                                    const ChunkSink& sink) override;
  absl::StatusOr<FileRef> UploadFile(CallControl& control, const FileUpload& file) override;
  void Log(absl::string_view line) override;

 private:
  struct Session {
    std::shared_ptr<pb::PluginService::Stub> stub;
    std::string id;
  };
  // A call that waits: for a reply, or for an error that tells why there is none.
  struct Waiting {
    bool done = false;
    absl::StatusOr<BridgeMessagePtr> reply = nullptr;

    void End(absl::StatusOr<BridgeMessagePtr> outcome) {
      if (std::exchange(done, true)) return;
      reply = std::move(outcome);
    }
  };

  absl::StatusOr<Session> Opened() const ABSL_LOCKS_EXCLUDED(mutex_);

  const Logger logger_;
  const std::function<void(PluginMessagePtr)> send_;
  mutable absl::Mutex mutex_;
  Session session_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, Waiting*> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_BRIDGE_HUB_H_
