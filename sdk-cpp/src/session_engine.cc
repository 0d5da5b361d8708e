#include "sdk-cpp/src/session_engine.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "atomemo/error.h"
#include "sdk-cpp/src/status.h"

namespace atomemo::internal {
namespace {

// A gRPC message's default limit, until the bridge tells its own.
constexpr std::int64_t kDefaultMessageBytes = std::int64_t{4} << 20;
// What the channel takes; the bridge is told.
constexpr int kMaxReceiveBytes = 64 << 20;
// Room in a message for what is not the answer.
constexpr std::int64_t kEnvelopeBytes = 1024;
// How long the bridge has, at least, to do what a plugin asks of it at the end of a session.
constexpr absl::Duration kCourtesy = absl::Seconds(2);

absl::StatusOr<pb::HubMode> ModeOf(HubMode mode, const Environment& env) {
  const std::string text = mode == HubMode::kDebug     ? "debug"
                           : mode == HubMode::kRelease ? "release"
                                                       : env("HUB_MODE");
  if (text.empty()) return pb::HUB_MODE_UNSPECIFIED;
  if (text == "debug") return pb::HUB_MODE_DEBUG;
  if (text == "release") return pb::HUB_MODE_RELEASE;
  return absl::InvalidArgumentError(
      absl::StrCat("HUB_MODE must be \"debug\" or \"release\", not \"", text, "\""));
}

std::shared_ptr<grpc::Channel> NewChannel(const std::string& target, absl::Duration retry_delay) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  const int delay_ms = static_cast<int>(absl::ToInt64Milliseconds(retry_delay));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, delay_ms);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, delay_ms);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, delay_ms);
  // Each attempt connects anew instead of sharing the backoff of the one before.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

// 128 random bits, in hexadecimal.
std::string NewInstanceId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) absl::StrAppendFormat(&id, "%08x", random());
  return id;
}

const char* NameOf(pb::HubState::State state) {
  switch (state) {
    case pb::HubState::STATE_CONNECTING:
      return "connecting to the hub";
    case pb::HubState::STATE_REGISTERED:
      return "registered with the hub";
    case pb::HubState::STATE_DISCONNECTED:
      return "the hub is disconnected";
    case pb::HubState::STATE_REJECTED:
      return "the hub refused the definition";
    case pb::HubState::STATE_UNAUTHORIZED:
      return "the hub refused the key";
    default:
      return "the hub's state is unknown";
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<SessionEngine>> SessionEngine::Create(
    std::shared_ptr<const PluginState> plugin, const RunOptions& options, const Environment& env) {
  absl::StatusOr<std::string> target = BridgeTarget(options.bridge, env);
  if (!target.ok()) return target.status();
  const absl::StatusOr<pb::HubMode> mode = ModeOf(options.mode, env);
  if (!mode.ok()) return mode.status();
  RunOptions complete = options;
  if (complete.token.empty()) complete.token = env("ATOMEMO_PLUGIN_TOKEN");
  if (!complete.logger) complete.logger = [](LogLevel, absl::string_view) {};
  // The constructor is private, hence no make_shared.
  return std::shared_ptr<SessionEngine>(
      new SessionEngine(std::move(plugin), std::move(complete), *std::move(target), *mode));
}

SessionEngine::SessionEngine(std::shared_ptr<const PluginState> plugin, RunOptions options,
                             std::string target, pb::HubMode mode)
    : plugin_(std::move(plugin)),
      options_(std::move(options)),
      target_(std::move(target)),
      mode_(mode),
      instance_id_(NewInstanceId()),
      hub_(options_.logger, [this](PluginMessagePtr message) { Send(std::move(message)); }),
      calls_(options_.max_kept_answers, options_.max_kept_bytes),
      invocations_(options_.max_concurrent_invocations),
      queries_(options_.max_concurrent_queries),
      max_message_bytes_(kDefaultMessageBytes),
      random_(std::random_device{}()) {}

SessionEngine::~SessionEngine() {
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

absl::Status SessionEngine::Run() {
  while (!Done()) {
    const absl::Status ended = RunSession();
    if (ended.ok() || Done()) break;
    if (IsPermanent(ended)) return ShutDown(stopping() ? absl::OkStatus() : ended);
    Backoff(ended);
  }
  return ShutDown(absl::OkStatus());
}

void SessionEngine::Stop() {
  absl::MutexLock lock(&mutex_);
  if (std::exchange(stopped_, true)) return;
  stop_alarm_.Set(&queue_, absl::ToChronoTime(absl::Now()), &on_stop_);
}

void SessionEngine::OnStop() {
  stop_by_ = absl::Now() + options_.drain_timeout;
  drain_by_ = std::min(drain_by_, *stop_by_);
}

absl::Status SessionEngine::RunSession() {
  stub_ = pb::PluginService::NewStub(NewChannel(target_, options_.last_retry_delay));
  phase_ = Phase::kOpening;
  drain_by_ = stop_by_.value_or(absl::InfiniteFuture());
  draining_.reset();
  refused_.reset();
  BridgeStream::Listener& listener = *this;
  {
    absl::MutexLock lock(&mutex_);
    stream_ = std::make_unique<BridgeStream>(*stub_, &queue_, Hello(), listener);
  }
  MoveOn();
  for (PluginMessagePtr& answer : calls_.Kept()) Send(std::move(answer));
  while (phase_ != Phase::kEnded) {
    Poll(Deadline());
    MoveOn();
  }
  {
    absl::MutexLock lock(&mutex_);
    stream_.reset();
  }
  hub_.Detach();
  return Outcome();
}

PluginMessagePtr SessionEngine::Hello() {
  auto message = std::make_shared<pb::PluginMessage>();
  pb::Hello& hello = *message->mutable_hello();
  hello.set_max_invocations(options_.max_concurrent_invocations);
  hello.set_max_queries(options_.max_concurrent_queries);
  for (const auto& [tool, policy] : plugin_->policies) {
    if (!policy.timeout && !policy.retry_safe) continue;
    pb::ToolPolicy& proto = (*hello.mutable_tool_policies())[tool];
    if (policy.timeout) SetDuration(*policy.timeout, proto.mutable_timeout());
    proto.set_retry_safe(policy.retry_safe);
  }
  pb::OpenSessionRequest& session = *hello.mutable_session();
  session.set_definition_json(
      plugin_->definition.dump(-1, ' ', false, Json::error_handler_t::replace));
  session.set_mode(mode_);
  session.set_token(options_.token);
  session.set_payload_encoding(pb::PAYLOAD_ENCODING_JSON);
  session.set_client(absl::StrCat("sdk-cpp/", ATOMEMO_SDK_VERSION));
  session.set_instance_id(instance_id_);
  session.set_max_receive_bytes(kMaxReceiveBytes);
  for (std::string& id : calls_.Open()) session.add_open_request_ids(std::move(id));
  return message;
}

absl::Status SessionEngine::Outcome() const {
  if (refused_) {
    std::string message = refused_->message();
    for (const auto& violation : refused_->violations()) {
      absl::StrAppend(&message, "\n  ", Describe(violation));
    }
    return absl::Status(static_cast<absl::StatusCode>(status_.error_code()), message);
  }
  if (draining_ && !stopping()) {
    return draining_->replaced()
               ? absl::AbortedError("a newer definition of this plugin has taken its place")
               : absl::UnavailableError(draining_->reason());
  }
  if (status_.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    return absl::UnimplementedError(absl::StrCat(
        "what listens at ", target_, " does not know the Serve RPC: update the bridge there"));
  }
  if (!status_.ok()) return ToAbsl(status_);
  return stopping() ? absl::OkStatus() : absl::UnavailableError("the bridge ended the session");
}

void SessionEngine::Poll(absl::Time deadline) {
  void* tag = nullptr;
  bool ok = false;
  const auto next = queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(deadline));
  if (next == grpc::CompletionQueue::GOT_EVENT) (*static_cast<Operation*>(tag))(ok);
}

void SessionEngine::MoveOn() {
  if (stopping() && phase_ < Phase::kDraining) Enter(Phase::kDraining);
  const auto done = [this] {
    return (phase_ == Phase::kFinishing || phase_ == Phase::kCancelling) && calls_.running() == 0;
  };
  while (done() || absl::Now() >= Deadline()) {
    Enter(static_cast<Phase>(static_cast<int>(phase_) + 1));
  }
}

void SessionEngine::Enter(Phase phase) {
  assert(phase > phase_);
  phase_ = phase;
  entered_ = absl::Now();
  if (phase == Phase::kCancelling) return calls_.CancelAll();
  absl::MutexLock lock(&mutex_);
  if (phase == Phase::kDraining) {
    auto message = std::make_shared<pb::PluginMessage>();
    message->mutable_drain();
    stream_->Send(std::move(message));
  }
  if (phase == Phase::kClosing) stream_->HalfClose();
  if (phase == Phase::kAborting) stream_->Abort();
}

absl::Time SessionEngine::Deadline() const {
  switch (phase_) {
    case Phase::kWindingUp:
    case Phase::kFinishing:
      return drain_by_;
    case Phase::kDraining:
      return std::max(drain_by_, entered_ + kCourtesy);
    case Phase::kCancelling:
      return entered_ + options_.cancel_grace;
    case Phase::kClosing:
      return entered_ + kCourtesy;
    default:
      return absl::InfiniteFuture();
  }
}

void SessionEngine::Backoff(const absl::Status& reason) {
  const double factor = static_cast<double>(std::uint64_t{1} << std::min(attempt_, 30));
  const double jitter = std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  const absl::Duration delay =
      std::min(options_.last_retry_delay, options_.first_retry_delay * factor) * jitter;
  ++attempt_;
  // One line for an outage, however long it lasts.
  if (last_failure_ != reason.message()) {
    last_failure_ = std::string(reason.message());
    Log(LogLevel::kWarning, absl::StrCat("no session with the bridge at ", target_, ": ",
                                         last_failure_, "; trying again until there is one"));
  }
  Log(LogLevel::kDebug, absl::StrCat("next attempt in ", absl::FormatDuration(delay)));
  const absl::Time until = absl::Now() + delay;
  while (!Done() && absl::Now() < until) Poll(std::min(until, stop_by_.value_or(until)));
}

absl::Status SessionEngine::ShutDown(absl::Status status) {
  // Without a session nobody gets the answers of calls that still run.
  calls_.CancelAll();
  const absl::Time deadline = absl::Now() + options_.cancel_grace;
  const bool invocations_ended = invocations_.Shutdown(deadline);
  const bool queries_ended = queries_.Shutdown(deadline);
  if (!status.ok() || (invocations_ended && queries_ended)) return status;
  return absl::DeadlineExceededError(
      absl::StrCat(calls_.running(), " calls did not end in time and were given up"));
}

void SessionEngine::OnMessage(BridgeMessagePtr message) {
  switch (message->message_case()) {
    case pb::BridgeMessage::kOpened:
      return OnOpened(message->opened());
    case pb::BridgeMessage::kPublished:
      return OnPublished(message->published());
    case pb::BridgeMessage::kRefused:
      refused_ = message->refused();
      return;
    case pb::BridgeMessage::kHubState:
      return OnHubState(message->hub_state());
    case pb::BridgeMessage::kDelivered:
      for (const std::string& id : message->delivered().request_ids()) calls_.Forget(id);
      return;
    case pb::BridgeMessage::kDraining:
      return OnDraining(message->draining());
    case pb::BridgeMessage::kDrained:
      if (phase_ < Phase::kFinishing) Enter(Phase::kFinishing);
      return;
    case pb::BridgeMessage::kCancel:
      return calls_.Cancel(message->cancel().request_id());
    case pb::BridgeMessage::kRejected:
      return OnRejected(message->rejected());
    case pb::BridgeMessage::kHubReply:
      return hub_.OnReply(std::move(message));
    default:
      // Null for what comes from a newer bridge.
      if (const CallRow* row = RowOf(*message)) OnCall(*row, std::move(message));
  }
}

void SessionEngine::OnEnded(const grpc::Status& status) {
  status_ = status;
  Enter(Phase::kEnded);
}

void SessionEngine::OnOpened(const pb::SessionOpened& opened) {
  if (opened.max_message_bytes() > 0) max_message_bytes_ = opened.max_message_bytes();
  for (const auto& warning : opened.warnings()) Log(LogLevel::kWarning, Describe(warning));
  hub_.Attach(stub_, opened.session_id());
  if (phase_ == Phase::kOpening) Enter(Phase::kServing);
}

void SessionEngine::OnPublished(const pb::PublishResponse& published) {
  attempt_ = 0;
  last_failure_.clear();
  for (const auto& warning : published.warnings()) Log(LogLevel::kWarning, Describe(warning));
  Log(LogLevel::kInfo, absl::StrCat("published as ", published.topic()));
}

void SessionEngine::OnHubState(const pb::HubState& state) {
  const bool good = state.state() == pb::HubState::STATE_REGISTERED ||
                    state.state() == pb::HubState::STATE_CONNECTING;
  Log(good ? LogLevel::kInfo : LogLevel::kWarning,
      state.reason().empty() ? NameOf(state.state())
                             : absl::StrCat(NameOf(state.state()), ": ", state.reason()));
  for (const auto& violation : state.violations()) Log(LogLevel::kError, Describe(violation));
}

void SessionEngine::OnDraining(const pb::Draining& draining) {
  Log(LogLevel::kInfo, absl::StrCat("the bridge asks to drain: ", draining.reason()));
  draining_ = draining;
  drain_by_ =
      std::min(drain_by_, absl::Now() + (draining.has_timeout() ? FromProto(draining.timeout())
                                                                : options_.drain_timeout));
  if (phase_ < Phase::kWindingUp) Enter(Phase::kWindingUp);
}

void SessionEngine::OnRejected(const pb::Rejected& rejected) {
  calls_.Forget(rejected.request_id());
  const std::optional<int> left_out = refusal_lines_.Allow(absl::Now());
  if (!left_out) return;
  for (const auto& violation : rejected.violations()) {
    Log(LogLevel::kError, absl::StrCat("the answer to call ", rejected.request_id(),
                                       " was refused: ", Describe(violation)));
  }
  if (*left_out > 0) {
    Log(LogLevel::kError, absl::StrCat("so were ", *left_out, " more since the last such line"));
  }
}

void SessionEngine::OnCall(const CallRow& row, BridgeMessagePtr message) {
  const pb::CallInfo& info = row.info(*message);
  auto control = std::make_shared<LiveCallControl>(
      info.has_time_left() ? FromProto(info.time_left()) : absl::InfiniteDuration());
  WorkerPool& pool = message->has_invoke() ? invocations_ : queries_;
  // Held by the table while the call waits, hence also by this engine: until ShutDown.
  auto start = [self = shared_from_this(), &pool, &row, message, control]() mutable {
    pool.Submit([self, &row, message = std::move(message), control]() mutable {
      const std::string request_id = row.info(*message).request_id();
      self->End(request_id, self->Answer(row, std::move(message), *control));
    });
  };
  CallTable::Admitted admitted = calls_.Admit(info.request_id(), control, std::move(start));
  if (admitted.admission == CallTable::Admission::kAnswered) Send(std::move(admitted.answer));
  if (admitted.admission != CallTable::Admission::kWaiting) return;
  const std::optional<int> left_out = waiting_lines_.Allow(absl::Now());
  if (!left_out) return;
  Log(LogLevel::kWarning,
      absl::StrCat("the hub has not confirmed ", calls_.kept(),
                   " answers (see max_kept_answers and max_kept_bytes): a call waits, as did ",
                   *left_out, " since the last such line"));
}

PluginMessagePtr SessionEngine::Answer(const CallRow& row, BridgeMessagePtr call,
                                       CallControl& control) {
  pb::CallInfo info;
  info.set_request_id(row.info(*call).request_id());
  info.set_event(row.info(*call).event());
  auto reply = std::make_shared<pb::PluginMessage>();
  const absl::Status failure = [&]() -> absl::Status {
    // If it waited for too long, it must not run for nobody.
    if (control.cancelled()) return absl::CancelledError("the call was cancelled before it ran");
    const absl::StatusOr<CallRequest> request = row.decode(*call);
    call.reset();  // it may be large, and its memory serves the answer
    if (!request.ok()) return request.status();
    CallData data{*request, control, hub_};
    absl::StatusOr<internal::Answer> answer = plugin_->dispatcher.Run(data);
    if (!answer.ok()) return answer.status();
    try {
      row.set_answer(info, *std::move(answer), *reply);
    } catch (const Json::exception& error) {
      return Error("sdk:invalid_return",
                   absl::StrCat("the answer is no valid JSON: ", error.what()));
    }
    const auto bytes = static_cast<std::int64_t>(reply->ByteSizeLong());
    if (bytes <= max_message_bytes_ - kEnvelopeBytes) return absl::OkStatus();
    return Error("sdk:invalid_return",
                 absl::StrCat("the answer has ", bytes, " bytes, but the bridge takes at most ",
                              max_message_bytes_.load()));
  }();
  if (!failure.ok()) *reply->mutable_failure() = FailureOf(info, failure);
  return reply;
}

void SessionEngine::End(const std::string& request_id, PluginMessagePtr answer) {
  // In one step: once no call runs, the session half-closes.
  absl::MutexLock lock(&mutex_);
  calls_.End(request_id, answer);
  if (stream_ != nullptr) stream_->Send(std::move(answer));
}

void SessionEngine::Send(PluginMessagePtr message) {
  absl::MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Send(std::move(message));
}

}  // namespace atomemo::internal
