#ifndef ATOMEMO_SDK_CPP_SRC_SESSION_ENGINE_H_
#define ATOMEMO_SDK_CPP_SRC_SESSION_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "atomemo/plugin.h"
#include "sdk-cpp/src/bridge_address.h"
#include "sdk-cpp/src/bridge_hub.h"
#include "sdk-cpp/src/bridge_stream.h"
#include "sdk-cpp/src/call_table.h"
#include "sdk-cpp/src/log_throttle.h"
#include "sdk-cpp/src/plugin_state.h"
#include "sdk-cpp/src/wire.h"
#include "sdk-cpp/src/worker_pool.h"

namespace atomemo::internal {

// Keeps a plugin served: one session after the other, each a stream, for as long as the plugin
// runs. Two kinds of threads: the one in Run polls the completion queue, and does everything that a
// session needs; workers run handlers and send the answers. Answers go through the call table,
// which outlives sessions. Owned jointly with the workers, some of which may be left behind.
class SessionEngine : private BridgeStream::Listener,
                      public std::enable_shared_from_this<SessionEngine> {
 public:
  // INVALID_ARGUMENT for options or an environment that cannot be used.
  static absl::StatusOr<std::shared_ptr<SessionEngine>> Create(
      std::shared_ptr<const PluginState> plugin, const RunOptions& options,
      const Environment& env = ProcessEnvironment());
  ~SessionEngine() override;

  // See Plugin::Run. Once.
  absl::Status Run();
  // From any thread.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // A session's life, in this order. What is done, or waits for too long, goes on to the next
  // phase.
  enum class Phase {
    kOpening,     // until `opened`
    kServing,     // calls come
    kWindingUp,   // the bridge drains: until `drained`
    kDraining,    // `drain` is sent: until `drained`
    kFinishing,   // no further call comes: until none runs, or the bridge ends the stream
    kCancelling,  // handlers were told to return: likewise
    kClosing,     // half-closed: until the bridge, which then has every answer, ends the stream
    kAborting,    // cancelled: until gRPC ends the stream
    kEnded,
  };

  SessionEngine(std::shared_ptr<const PluginState> plugin, RunOptions options, std::string target,
                pb::HubMode mode);

  // ---- On Run's thread

  // Serves one session. Returns why it ended; OK once the plugin was stopped and the bridge has
  // every answer.
  absl::Status RunSession() ABSL_LOCKS_EXCLUDED(mutex_);
  PluginMessagePtr Hello();
  absl::Status Outcome() const;
  // Handles the queue's next event; returns without one at `deadline`.
  void Poll(absl::Time deadline);
  // Takes the steps that are due.
  void MoveOn() ABSL_LOCKS_EXCLUDED(mutex_);
  void Enter(Phase phase) ABSL_LOCKS_EXCLUDED(mutex_);
  // When a phase is over although what it waits for has not come.
  absl::Time Deadline() const;
  bool stopping() const { return stop_by_.has_value(); }
  // Stopped, and there is nothing left to do, or no time to do it in.
  bool Done() const { return stopping() && (calls_.empty() || absl::Now() >= *stop_by_); }
  // Waits before the next attempt.
  void Backoff(const absl::Status& reason);
  absl::Status ShutDown(absl::Status status);

  void OnMessage(BridgeMessagePtr message) override;
  void OnEnded(const grpc::Status& status) override;
  void OnOpened(const pb::SessionOpened& opened);
  void OnPublished(const pb::PublishResponse& published);
  void OnHubState(const pb::HubState& state);
  void OnDraining(const pb::Draining& draining);
  void OnRejected(const pb::Rejected& rejected);
  // Has a worker answer a call, unless it runs or has run already.
  void OnCall(const CallRow& row, BridgeMessagePtr message);
  void OnStop();

  // ---- On a worker

  // The reply to a call, whatever its handler does.
  PluginMessagePtr Answer(const CallRow& row, BridgeMessagePtr call, CallControl& control);
  // Keeps the answer and sends it.
  void End(const std::string& request_id, PluginMessagePtr answer) ABSL_LOCKS_EXCLUDED(mutex_);

  // ---- On any thread

  void Send(PluginMessagePtr message) ABSL_LOCKS_EXCLUDED(mutex_);
  void Log(LogLevel level, const std::string& line) const { options_.logger(level, line); }

  const std::shared_ptr<const PluginState> plugin_;
  const RunOptions options_;
  const std::string target_;
  const pb::HubMode mode_;
  const std::string instance_id_;

  BridgeHub hub_;
  CallTable calls_;
  WorkerPool invocations_;
  WorkerPool queries_;
  // What the bridge takes in one message, in bytes.
  std::atomic<std::int64_t> max_message_bytes_;

  // Used by Run's thread only.
  grpc::CompletionQueue queue_;
  Operation on_stop_ = [this](bool /*ok*/) { OnStop(); };
  LogThrottle waiting_lines_;
  LogThrottle refusal_lines_;
  std::mt19937_64 random_;
  int attempt_ = 0;
  std::string last_failure_;
  // Once stopped: until when calls may run, and answers may be offered.
  std::optional<absl::Time> stop_by_;

  // Of the session, likewise.
  std::shared_ptr<pb::PluginService::Stub> stub_;
  Phase phase_ = Phase::kOpening;
  absl::Time entered_;  // the phase
  // Until when calls may run.
  absl::Time drain_by_;
  std::optional<pb::Draining> draining_;
  std::optional<pb::Refused> refused_;
  grpc::Status status_;

  absl::Mutex mutex_;
  // Null between sessions.
  std::unique_ptr<BridgeStream> stream_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Alarm stop_alarm_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_SESSION_ENGINE_H_
