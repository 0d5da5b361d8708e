#ifndef ATOMEMO_SDK_CPP_SRC_SESSION_ENGINE_H_
#define ATOMEMO_SDK_CPP_SRC_SESSION_ENGINE_H_

#include <atomic>
#include <memory>
#include <random>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "atomemo/plugin.h"
#include "sdk-cpp/src/bridge_address.h"
#include "sdk-cpp/src/bridge_hub.h"
#include "sdk-cpp/src/call_table.h"
#include "sdk-cpp/src/log_throttle.h"
#include "sdk-cpp/src/plugin_state.h"
#include "sdk-cpp/src/session.h"
#include "sdk-cpp/src/worker_pool.h"

namespace atomemo::internal {

// Keeps a plugin served: one session after the other, for as long as the plugin runs. Three kinds
// of threads: the one in Run makes and ends sessions; the session's thread reads calls and hands
// them to the worker pools; workers run handlers and send the answers. Answers go through the call
// table, which outlives sessions. Owned jointly with the workers, some of which may be left behind.
class SessionEngine : private SessionListener, public std::enable_shared_from_this<SessionEngine> {
 public:
  // INVALID_ARGUMENT for options or an environment that cannot be used.
  static absl::StatusOr<std::shared_ptr<SessionEngine>> Create(
      std::shared_ptr<const PluginState> plugin, const RunOptions& options,
      const Environment& env = ProcessEnvironment());

  // See Plugin::Run. Once.
  absl::Status Run();
  // From any thread.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  SessionEngine(std::shared_ptr<const PluginState> plugin, RunOptions options, std::string target,
                pb::HubMode mode);

  // Opens, registers, publishes and serves one session. Returns why it ended; OK after Stop.
  absl::Status RunSession();
  absl::Status Register(Session& session);
  absl::Status Publish(Session& session);
  template <typename Method, typename Request, typename Response>
  absl::Status RegisterPart(Session& session, Method method, Request request, Response response,
                            const char* kind, const Json& part);
  void SubscribeAll(Session& session);
  // Lets calls in flight finish, cancels those that take longer, and waits until the bridge has the
  // answers.
  void Drain(Session& session, absl::Duration timeout);
  // Waits before the next attempt; returns early on Stop.
  void Backoff(const absl::Status& reason) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ShutDown(absl::Status status);

  void OnCall(std::shared_ptr<const pb::AuthenticateCall> call) override;
  void OnCall(std::shared_ptr<const pb::AuthorizeOAuth2Call> call) override;
  void OnCall(std::shared_ptr<const pb::InvokeCall> call) override;
  void OnCall(std::shared_ptr<const pb::ListResourcesCall> call) override;
  void OnCall(std::shared_ptr<const pb::MapResourceCall> call) override;
  void OnCancel(const pb::Cancel& cancel) override;
  void OnRejected(const pb::Rejected& rejected) override;
  void OnStreamEnded(StreamKind kind, const grpc::Status& status) override;
  void OnHubState(const pb::HubState& state) override;
  void OnDelivered(const pb::Delivered& delivered) override;

  // Has a worker answer a call, unless it runs or has run already.
  template <typename Traits>
  void Admit(std::shared_ptr<const typename Traits::Call> call, WorkerPool& pool);
  void LogWaiting();
  // On a worker: the reply to a call, whatever its handler does.
  template <typename Traits>
  std::shared_ptr<const typename Traits::Reply> Answer(const typename Traits::Call& call,
                                                       CallControl& control);
  void Send(const Reply& reply) ABSL_LOCKS_EXCLUDED(mutex_);

  bool stopping() const ABSL_LOCKS_EXCLUDED(mutex_);
  void Log(LogLevel level, const std::string& line) const;

  const std::shared_ptr<const PluginState> plugin_;
  const RunOptions options_;
  const std::string target_;
  const pb::HubMode mode_;

  BridgeHub hub_;
  CallTable calls_;
  WorkerPool invocations_;
  WorkerPool queries_;
  // What the bridge takes in one message, in bytes.
  std::atomic<std::int64_t> max_message_bytes_;
  LogThrottle waiting_lines_;
  LogThrottle refusal_lines_;

  // Only used by Run's thread.
  std::mt19937_64 random_;
  const std::string instance_id_;
  int attempt_ = 0;
  std::string last_failure_;

  mutable absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  // The open session, for workers' answers.
  Session* session_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_SESSION_ENGINE_H_
