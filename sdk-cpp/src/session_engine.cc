#include "sdk-cpp/src/session_engine.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "atomemo/error.h"

namespace atomemo::internal {
namespace {

// A gRPC message's default limit, until the bridge tells its own.
constexpr std::int64_t kDefaultMessageBytes = std::int64_t{4} << 20;
// What the channel takes and sends; the bridge is told.
constexpr int kChannelMessageBytes = 64 << 20;
// Room in a message for what is not the answer.
constexpr std::int64_t kEnvelopeBytes = 1024;
// How long the bridge has to take the last answers.
constexpr absl::Duration kAfterHalfClose = absl::Seconds(2);

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
  arguments.SetMaxReceiveMessageSize(kChannelMessageBytes);
  arguments.SetMaxSendMessageSize(kChannelMessageBytes);
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

std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DefinitionWithoutParts(Json definition) {
  for (const char* list : {"credentials", "tools", "models"}) definition.erase(list);
  return Text(definition);
}

// Definitions from files may have anything here, or nothing.
std::string NameOf(const Json& part) {
  return part.is_object() && part.contains("name") && part["name"].is_string()
             ? part["name"].get<std::string>()
             : "";
}

pb::RegisterToolRequest ToolRequest(const PluginState& plugin, const Json& tool) {
  pb::RegisterToolRequest request;
  const auto policy = plugin.policies.find(NameOf(tool));
  if (policy == plugin.policies.end()) return request;
  if (policy->second.timeout) {
    SetDuration(*policy->second.timeout, request.mutable_policy()->mutable_timeout());
  }
  if (policy->second.retry_safe) request.mutable_policy()->set_retry_safe(true);
  return request;
}

// One status for many: what trying again could mend comes first, since all may be well then;
// otherwise every error's message.
absl::Status Merge(const std::vector<absl::Status>& results) {
  absl::StatusCode code = absl::StatusCode::kOk;
  std::vector<absl::string_view> messages;
  for (const absl::Status& status : results) {
    if (status.ok()) continue;
    if (!IsPermanent(status)) return status;
    if (messages.empty()) code = status.code();
    messages.push_back(status.message());
  }
  return absl::Status(code, absl::StrJoin(messages, "\n"));
}

// Puts an answer into its reply; the error if the answer cannot be sent.
template <typename Traits>
absl::Status SetAnswer(const std::string& request_id, const std::string& event, Answer answer,
                       typename Traits::Reply& reply) {
  auto& result = *reply.mutable_result();
  result.set_request_id(request_id);
  if constexpr (std::is_same_v<Traits, OAuth2Stream>) result.set_event(event);
  try {
    Traits::SetAnswer(std::move(answer), result);
    return absl::OkStatus();
  } catch (const Json::exception& error) {
    return Error("sdk:invalid_return", absl::StrCat("the answer is no valid JSON: ", error.what()));
  }
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
      hub_(options_.logger),
      calls_(options_.max_kept_answers, options_.max_kept_bytes),
      invocations_(options_.max_concurrent_invocations),
      queries_(options_.max_concurrent_queries),
      max_message_bytes_(kDefaultMessageBytes),
      random_(std::random_device{}()),
      instance_id_(NewInstanceId()) {}

absl::Status SessionEngine::Run() {
  while (true) {
    const absl::Status ended = RunSession();
    if (stopping()) return ShutDown(absl::OkStatus());
    if (IsPermanent(ended)) return ShutDown(ended);
    Backoff(ended);
    if (stopping()) return ShutDown(absl::OkStatus());
  }
}

void SessionEngine::Stop() {
  absl::MutexLock lock(&mutex_);
  stop_ = true;
  if (session_ != nullptr) session_->Interrupt();
}

absl::Status SessionEngine::RunSession() {
  Session session(NewChannel(target_, options_.last_retry_delay), *this);
  {
    absl::MutexLock lock(&mutex_);
    if (stop_) return absl::OkStatus();
    session_ = &session;
  }
  const absl::Cleanup forget = [this]() ABSL_LOCKS_EXCLUDED(mutex_) {
    hub_.SetConnection(nullptr);
    absl::MutexLock lock(&mutex_);
    session_ = nullptr;
  };
  if (absl::Status status = Register(session); !status.ok()) return status;
  hub_.SetConnection(session.connection());
  SubscribeAll(session);
  for (const Reply& reply : calls_.Kept()) session.Send(reply);
  if (absl::Status status = Publish(session); !status.ok() && !stopping()) return status;

  switch (session.Wait()) {
    case Session::Event::kEnded:
      return session.status().ok() ? absl::UnavailableError("the bridge ended the session")
                                   : ToAbsl(session.status());
    case Session::Event::kInterrupted:
      session.AskToDrain();
      Drain(session, options_.drain_timeout);
      return absl::OkStatus();
    case Session::Event::kDraining:
      break;
  }
  const pb::Draining draining = session.draining();
  Log(LogLevel::kInfo, absl::StrCat("the bridge asks to drain: ", draining.reason()));
  const absl::Time deadline = absl::Now() + (draining.has_timeout() ? FromProto(draining.timeout())
                                                                    : options_.drain_timeout);
  // Calls may still wait in the bridge.
  if (!session.WaitDrained(deadline)) session.AskToDrain();
  Drain(session, deadline - absl::Now());
  return draining.replaced()
             ? absl::AbortedError("a newer definition of this plugin has taken its place")
             : absl::UnavailableError(draining.reason());
}

absl::Status SessionEngine::Register(Session& session) {
  const Json& definition = plugin_->definition;
  pb::OpenSessionRequest request;
  request.set_definition_json(DefinitionWithoutParts(definition));
  request.set_mode(mode_);
  request.set_token(options_.token);
  request.set_payload_encoding(pb::PAYLOAD_ENCODING_JSON);
  request.set_client(absl::StrCat("sdk-cpp/", ATOMEMO_SDK_VERSION));
  request.set_instance_id(instance_id_);
  request.set_max_receive_bytes(kChannelMessageBytes);
  for (std::string& request_id : calls_.Open()) request.add_open_request_ids(std::move(request_id));
  const absl::StatusOr<pb::SessionOpened> opened = session.Open(request);
  if (!opened.ok()) return opened.status();
  if (opened->max_message_bytes() > 0) max_message_bytes_ = opened->max_message_bytes();
  for (const auto& warning : opened->warnings()) Log(LogLevel::kWarning, Describe(warning));

  using Stub = pb::PluginService::Stub;
  // All parts are tried, so that the author sees everything that is wrong at once.
  std::vector<absl::Status> results;
  for (const Json& part : definition.at("credentials")) {
    results.push_back(RegisterPart(session, &Stub::RegisterCredential,
                                   pb::RegisterCredentialRequest(),
                                   pb::RegisterCredentialResponse(), "credential", part));
  }
  for (const Json& part : definition.at("tools")) {
    results.push_back(RegisterPart(session, &Stub::RegisterTool, ToolRequest(*plugin_, part),
                                   pb::RegisterToolResponse(), "tool", part));
  }
  for (const Json& part : definition.at("models")) {
    results.push_back(RegisterPart(session, &Stub::RegisterModel, pb::RegisterModelRequest(),
                                   pb::RegisterModelResponse(), "model", part));
  }
  return Merge(results);
}

template <typename Method, typename Request, typename Response>
absl::Status SessionEngine::RegisterPart(Session& session, Method method, Request request,
                                         Response response, const char* kind, const Json& part) {
  request.set_session_id(session.connection()->session_id);
  request.set_definition_json(Text(part));
  const grpc::Status status = session.Unary(method, request, &response);
  const std::string label = absl::StrCat(kind, " `", NameOf(part), "`");
  for (const auto& warning : response.warnings()) {
    Log(LogLevel::kWarning, absl::StrCat(label, ": ", Describe(warning)));
  }
  if (status.ok()) return absl::OkStatus();
  const absl::Status error = ToAbsl(status);
  return absl::Status(error.code(), absl::StrCat(label, ": ", error.message()));
}

absl::Status SessionEngine::Publish(Session& session) {
  pb::PublishRequest request;
  request.set_session_id(session.connection()->session_id);
  pb::PublishResponse response;
  const grpc::Status status = session.Unary(&pb::PluginService::Stub::Publish, request, &response);
  if (!status.ok()) return ToAbsl(status);
  attempt_ = 0;
  last_failure_.clear();
  for (const auto& warning : response.warnings()) Log(LogLevel::kWarning, Describe(warning));
  Log(LogLevel::kInfo, absl::StrCat("published as ", response.topic()));
  return absl::OkStatus();
}

void SessionEngine::SubscribeAll(Session& session) {
  const Json& definition = plugin_->definition;
  if (!definition.at("credentials").empty()) {
    session.Subscribe<AuthenticateStream>(options_.max_concurrent_queries);
    session.Subscribe<OAuth2Stream>(options_.max_concurrent_queries);
  }
  if (!definition.at("tools").empty()) {
    session.Subscribe<InvokeStream>(options_.max_concurrent_invocations);
    session.Subscribe<ListResourcesStream>(options_.max_concurrent_queries);
    session.Subscribe<MapResourceStream>(options_.max_concurrent_queries);
  }
}

void SessionEngine::Drain(Session& session, absl::Duration timeout) {
  if (!calls_.WaitIdle(absl::Now() + timeout)) {
    calls_.CancelAll();
    calls_.WaitIdle(absl::Now() + options_.cancel_grace);
  }
  session.CloseStreams(absl::Now() + kAfterHalfClose);
}

void SessionEngine::Backoff(const absl::Status& reason) {
  const double factor = static_cast<double>(std::uint64_t{1} << std::min(attempt_, 30));
  const absl::Duration delay =
      std::min(options_.last_retry_delay, options_.first_retry_delay * factor);
  ++attempt_;
  const double jitter = std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  // One line for an outage, however long it lasts.
  if (last_failure_ != reason.message()) {
    last_failure_ = std::string(reason.message());
    Log(LogLevel::kWarning, absl::StrCat("no session with the bridge at ", target_, ": ",
                                         last_failure_, "; trying again until there is one"));
  }
  Log(LogLevel::kDebug, absl::StrCat("next attempt in ", absl::FormatDuration(delay * jitter)));
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stop_), delay * jitter);
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

void SessionEngine::OnCall(std::shared_ptr<const pb::AuthenticateCall> call) {
  Admit<AuthenticateStream>(std::move(call), queries_);
}

void SessionEngine::OnCall(std::shared_ptr<const pb::AuthorizeOAuth2Call> call) {
  Admit<OAuth2Stream>(std::move(call), queries_);
}

void SessionEngine::OnCall(std::shared_ptr<const pb::InvokeCall> call) {
  Admit<InvokeStream>(std::move(call), invocations_);
}

void SessionEngine::OnCall(std::shared_ptr<const pb::ListResourcesCall> call) {
  Admit<ListResourcesStream>(std::move(call), queries_);
}

void SessionEngine::OnCall(std::shared_ptr<const pb::MapResourceCall> call) {
  Admit<MapResourceStream>(std::move(call), queries_);
}

template <typename Traits>
void SessionEngine::Admit(std::shared_ptr<const typename Traits::Call> call, WorkerPool& pool) {
  const pb::CallInfo& info = Traits::PayloadOf(*call)->info();
  auto control = std::make_shared<LiveCallControl>(
      info.has_time_left() ? FromProto(info.time_left()) : absl::InfiniteDuration());
  const std::string& request_id = info.request_id();
  // Held by the table while the call waits, hence also by this engine: until ShutDown.
  auto start = [self = shared_from_this(), &pool, call, control] {
    pool.Submit([self, call, control] {
      const std::string& id = Traits::PayloadOf(*call)->info().request_id();
      const Reply reply{Traits::kStream, self->Answer<Traits>(*call, *control)};
      self->calls_.Keep(id, reply);
      self->Send(reply);
      self->calls_.End(id);
    });
  };
  const CallTable::Admitted admitted = calls_.Admit(request_id, control, std::move(start));
  if (admitted.admission == CallTable::Admission::kAnswered) Send(admitted.reply);
  if (admitted.admission == CallTable::Admission::kWaiting) LogWaiting();
}

void SessionEngine::LogWaiting() {
  const std::optional<int> left_out = waiting_lines_.Allow(absl::Now());
  if (!left_out) return;
  Log(LogLevel::kWarning,
      absl::StrCat("the hub has not confirmed ", calls_.kept(),
                   " answers (see max_kept_answers and max_kept_bytes): a call waits, as did ",
                   *left_out, " since the last such line"));
}

template <typename Traits>
std::shared_ptr<const typename Traits::Reply> SessionEngine::Answer(
    const typename Traits::Call& call, CallControl& control) {
  const auto& payload = *Traits::PayloadOf(call);
  const std::string& request_id = payload.info().request_id();
  const std::string& event = payload.info().event();
  auto reply = std::make_shared<typename Traits::Reply>();
  absl::Status failure;
  absl::StatusOr<CallRequest> request = Traits::Decode(payload);
  if (control.cancelled()) {
    // It waited for too long, and must not run for nobody.
    failure = absl::CancelledError("the call was cancelled before it ran");
  } else if (request.ok()) {
    CallData data{*request, control, hub_};
    absl::StatusOr<internal::Answer> answer = plugin_->dispatcher.Run(data);
    failure = answer.ok() ? SetAnswer<Traits>(request_id, event, *std::move(answer), *reply)
                          : answer.status();
  } else {
    failure = request.status();
  }
  const auto bytes = static_cast<std::int64_t>(reply->ByteSizeLong());
  if (failure.ok() && bytes > max_message_bytes_ - kEnvelopeBytes) {
    failure = Error("sdk:invalid_return",
                    absl::StrCat("the answer has ", bytes, " bytes, but the bridge takes at most ",
                                 max_message_bytes_.load()));
  }
  if (!failure.ok()) *reply->mutable_failure() = FailureOf(request_id, event, failure);
  return reply;
}

void SessionEngine::Send(const Reply& reply) {
  absl::MutexLock lock(&mutex_);
  if (session_ != nullptr) session_->Send(reply);
}

void SessionEngine::OnCancel(const pb::Cancel& cancel) { calls_.Cancel(cancel.request_id()); }

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

void SessionEngine::OnStreamEnded(StreamKind, const grpc::Status& status) {
  if (!status.ok()) Log(LogLevel::kDebug, absl::StrCat("a stream ended: ", status.error_message()));
}

void SessionEngine::OnHubState(const pb::HubState& state) {
  const bool good = state.state() == pb::HubState::STATE_REGISTERED ||
                    state.state() == pb::HubState::STATE_CONNECTING;
  Log(good ? LogLevel::kInfo : LogLevel::kWarning,
      state.reason().empty() ? NameOf(state.state())
                             : absl::StrCat(NameOf(state.state()), ": ", state.reason()));
  for (const auto& violation : state.violations()) Log(LogLevel::kError, Describe(violation));
}

void SessionEngine::OnDelivered(const pb::Delivered& delivered) {
  for (const std::string& request_id : delivered.request_ids()) calls_.Forget(request_id);
}

bool SessionEngine::stopping() const {
  absl::MutexLock lock(&mutex_);
  return stop_;
}

void SessionEngine::Log(LogLevel level, const std::string& line) const {
  options_.logger(level, line);
}

}  // namespace atomemo::internal
