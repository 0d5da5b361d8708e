#include "bridge/hub/hub_client.h"

#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/error_codes.h"
#include "bridge/base/log.h"
#include "bridge/definition/messages.h"

namespace atomemo::hub {
namespace {

using router::HubMode;
using router::pb::HubState;

router::HubAnswer TooLarge(const router::HubAnswer& answer, const absl::Status& status) {
  router::HubAnswer error{answer.event, answer.request_id, router::pb::PluginError()};
  auto& plugin_error = std::get<router::pb::PluginError>(error.outcome);
  plugin_error.set_code(std::string(code::kInvalidReturn));
  plugin_error.set_name("AnswerTooLarge");
  plugin_error.set_message(absl::StrCat("the answer is too large: ", status.message(),
                                        "; return less, or upload a file and return its "
                                        "reference"));
  return error;
}

// Without knowing how large a frame may be, one of this size is taken for the reason of a loss.
constexpr std::size_t kLargeFrame = 256u << 10;

// About what the message's frame has, header and envelope included.
std::size_t FrameBytes(absl::string_view topic, const HubMessage& message) {
  constexpr std::size_t kEnvelope = 32;  // refs, brackets, quotes and commas
  return message.payload_size() + message.event.size() + topic.size() + kEnvelope +
         kFrameHeaderBytes;
}

const std::string& RequestIdOf(const EventContent& event) {
  if (const auto* call = std::get_if<router::HubCall>(&event)) return call->request_id;
  if (const auto* reply = std::get_if<HubReply>(&event)) return reply->request_id;
  return std::get<BadCall>(event).request_id;
}

bool SameState(const HubState& a, const HubState& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace

HubClient::HubClient(base::Scheduler& scheduler, WebSocketTransportFactory transports,
                     HubClientOptions options)
    : scheduler_(scheduler),
      transports_(std::move(transports)),
      options_(std::move(options)),
      api_key_(scheduler, options_.api_key),
      last_seed_(options_.channel.seed),
      max_frame_bytes_(options_.socket.max_frame_bytes),
      pool_(
          scheduler, [this](HubMode mode) { return MakeSocket(mode); }, options_.pool) {}

HubClient::~HubClient() {
  scheduler_.Cancel(writable_timer_);
  scheduler_.Cancel(register_timer_);
  scheduler_.Cancel(shutdown_timer_);
}

void HubClient::Connect(HubMode mode) { pool_.Keep(mode); }

admin::v1::HubConnection HubClient::Connection() const {
  admin::v1::HubConnection connection;
  const std::size_t open = pool_.open();
  connection.set_url(FormatHubUrl(options_.url));
  connection.set_open_sockets(static_cast<std::int64_t>(open));
  connection.set_connected(open > 0);
  if (open > 0) return connection;
  const HubState* const state = pool_.state();
  connection.set_reason(state == nullptr || state->reason().empty() ? "connecting"
                                                                    : state->reason());
  return connection;
}

void HubClient::Announce(router::Announcement announcement) {
  const PortCall guard(*this);
  const bool is_debug = announcement.mode == HubMode::kDebug;
  auto definition = is_debug ? announcement.definition_json : nullptr;
  if (Topic* known = FindTopic(announcement.topic)) {
    if (is_debug) known->channel->SetDefinition(std::move(definition));
    known->channel->JoinAgain();
    return;
  }
  PhoenixChannel::Options channel_options = options_.channel;
  channel_options.seed = ++last_seed_;
  PhoenixChannel::Owner& owner = *this;
  auto channel = std::make_unique<PhoenixChannel>(scheduler_, owner, announcement.topic,
                                                  std::move(definition), channel_options);
  PhoenixChannel& attached = *channel;
  Topic& topic = topics_[announcement.topic];
  topic.mode = announcement.mode;
  topic.channel = std::move(channel);
  attached.Attach(pool_.Acquire(announcement.mode));
  ReportStateLater(attached);
}

void HubClient::Withdraw(absl::string_view topic) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  FailRequests(found->second, "the plugin was withdrawn from the hub");
  std::shared_ptr<PhoenixChannel> channel = std::move(found->second.channel);
  topics_.erase(found);
  const PhoenixSocket& socket = *channel->socket();
  channel->Leave();
  pool_.Release(socket);
  // This may run inside a call of the channel: it must not go before that returns.
  scheduler_.Post([channel] {});
}

bool HubClient::IsUp(absl::string_view topic) const {
  const Topic* found = FindTopic(topic);
  return found != nullptr && found->channel->ready();
}

std::optional<router::HubPosition> HubClient::Push(absl::string_view topic,
                                                   const router::HubAnswer& answer) {
  PhoenixChannel* channel = Writable(FindTopic(topic));
  if (channel == nullptr) return std::nullopt;
  return PushNow(*channel, answer);
}

std::optional<router::HubPosition> HubClient::PushNow(PhoenixChannel& channel,
                                                      const router::HubAnswer& answer) {
  HubMessage message = EncodeAnswer(answer);
  const std::size_t bytes = FrameBytes(channel.topic(), message);
  const absl::Status fits = CheckFrameBytes(bytes);
  absl::StatusOr<PhoenixChannel::Pushed> pushed =
      fits.ok() ? channel.Push(std::move(message.event), message.parts())
                : absl::StatusOr<PhoenixChannel::Pushed>(fits);
  if (absl::IsResourceExhausted(pushed.status())) {
    base::LogWarning("answer too large for the hub",
                     {{"topic", channel.topic()}, {"event", answer.event}, {"bytes", bytes}});
    const router::HubAnswer error = TooLarge(answer, pushed.status());
    message = EncodeAnswer(error);
    pushed = channel.Push(std::move(message.event), message.parts());
    // Nobody can be answered whose request_id alone is larger than a frame: as if it were sent.
    if (absl::IsResourceExhausted(pushed.status())) return channel.socket()->position();
  }
  if (!pushed.ok()) return std::nullopt;
  return pushed->position;
}

absl::Status HubClient::CheckFrameBytes(std::size_t bytes) const {
  if (bytes <= max_frame_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the message has about ", bytes, " bytes, the hub takes at most ", max_frame_bytes_));
}

bool HubClient::PushRefusal(absl::string_view topic, const router::HubAnswer& answer) {
  const Topic* found = FindTopic(topic);
  if (found == nullptr || shut_down_ || !found->channel->ready()) return false;
  return PushNow(*found->channel, answer).has_value();
}

bool HubClient::PushRequest(absl::string_view topic, const router::HubRequest& request) {
  Topic* found = FindTopic(topic);
  PhoenixChannel* channel = Writable(found);
  if (channel == nullptr) return false;
  HubMessage message = EncodeRequest(request.event, request.request_id, request.data_json);
  const absl::Status fits = CheckFrameBytes(FrameBytes(topic, message));
  const auto pushed = fits.ok() ? channel->Push(std::move(message.event), message.parts())
                                : absl::StatusOr<PhoenixChannel::Pushed>(fits);
  if (absl::IsResourceExhausted(pushed.status())) {
    ReplyLater(topic, request.request_id, pushed.status());
    return true;
  }
  if (!pushed.ok()) return false;
  found->requests.Add(request.request_id, pushed->ref, scheduler_.Now());
  return true;
}

void HubClient::RequestProof(absl::string_view topic) {
  if (Topic* found = FindTopic(topic)) found->channel->RequestProof();
}

void HubClient::Hasten(absl::string_view topic) {
  const PortCall guard(*this);
  if (Topic* found = FindTopic(topic)) found->channel->JoinSoon();
}

void HubClient::Quarantine(absl::string_view topic) {
  Later([this, name = std::string(topic)] {
    const Topic* found = FindTopic(name);
    PhoenixSocket* const shared = found == nullptr ? nullptr : found->channel->socket();
    if (shared == nullptr || found->channel->is_leaving()) return;
    PhoenixSocket* const own = pool_.AcquireAlone(*shared);
    if (own == nullptr) return;
    base::LogInfo("plugin gets a connection of its own while a loss is looked into",
                  {{"topic", name}});
    pool_.Release(*shared);
    found->channel->Attach(*own);
  });
}

void HubClient::Unquarantine(absl::string_view topic) {
  const Topic* found = FindTopic(topic);
  if (found != nullptr && found->channel->socket() != nullptr) {
    pool_.Share(*found->channel->socket());
  }
}

void HubClient::LearnFrom(const router::HubAnswer& refused, const router::HubLoss& loss) {
  const std::size_t bytes = FrameBytes("", EncodeAnswer(refused));
  // A hub that says that it cannot read a frame says nothing of its size.
  const bool for_its_size =
      loss.close_code == kCloseTooBig ||
      (loss.close_code != 0 && loss.cause == router::HubLoss::Cause::kMute && bytes >= kLargeFrame);
  if (!for_its_size || bytes >= max_frame_bytes_) return;
  max_frame_bytes_ = bytes - 1;
  base::LogWarning("the hub takes no message as large as that: larger ones fail from now on",
                   {{"bytes", bytes}, {"reason", loss.reason}});
}

void HubClient::Leave(absl::string_view topic) {
  const PortCall guard(*this);
  if (Topic* found = FindTopic(topic)) found->channel->LeaveAndReport();
}

void HubClient::OnChannelLeft(PhoenixChannel& channel, bool handled) {
  if (!shut_down_) listener_->OnTopicLeft(channel.topic(), handled);
}

void HubClient::Shutdown(std::function<void()> done) {
  shut_down_ = true;
  scheduler_.Cancel(writable_timer_);
  for (auto& [name, topic] : topics_) topic.channel->Leave();
  // For whichever comes first, the sockets or the timer.
  auto finish = [this, alive = std::weak_ptr<bool>(alive_),
                 done = std::make_shared<std::function<void()>>(std::move(done))] {
    if (alive.lock() != nullptr) scheduler_.Cancel(shutdown_timer_);
    if (const auto once = std::exchange(*done, nullptr)) once();
  };
  shutdown_timer_ = scheduler_.After(options_.shutdown_timeout, finish);
  pool_.Shutdown(finish);
}

void HubClient::OnChannelState(PhoenixChannel& channel, const HubState& state) {
  Topic* topic = FindTopic(channel.topic());
  if (topic == nullptr || shut_down_) return;
  if (!channel.ready()) {
    FailRequests(*topic, "the connection to the hub was lost before its answer came");
  }
  if (state.state() == HubState::STATE_REGISTERED &&
      std::exchange(topic->definition_suspected, false)) {
    Unquarantine(channel.topic());
  }
  if (in_port_call_) return ReportStateLater(channel);
  // The hub's verdict on another definition, or on the same one again: the same state, and news.
  if (state.state() == HubState::STATE_REGISTERED || state.state() == HubState::STATE_REJECTED) {
    topic->reported.Clear();
  }
  ReportState(*topic);
}

void HubClient::OnChannelEvent(PhoenixChannel& channel, ReceivedFrame frame) {
  Topic* topic = FindTopic(channel.topic());
  if (topic == nullptr || shut_down_) return;
  EventContent event = frame.read != nullptr ? std::move(*frame.read) : ReadEvent(frame);
  if (auto* reply = std::get_if<HubReply>(&event)) return OnHubReply(*topic, std::move(*reply));
  frame.event = std::string(definition::CutText(frame.event, kMaxNameBytes));
  if (RequestIdOf(event).size() > kMaxRequestIdBytes) {
    return RefuseRequestId(channel, frame.event, RequestIdOf(event));
  }
  if (auto* call = std::get_if<router::HubCall>(&event)) {
    return listener_->OnHubCall(frame.topic, std::move(*call));
  }
  const BadCall& bad = std::get<BadCall>(event);
  if (bad.request_id.empty()) {
    const bool has_one =
        !bad.odd_request_id.empty() && bad.odd_request_id.size() <= kMaxRequestIdBytes;
    base::LogWarning(has_one ? "call whose request_id is no string refused"
                             : "hub event without request_id ignored",
                     {{"topic", frame.topic}, {"event", frame.event}});
    if (!has_one || !channel.ready()) return;
    HubMessage refusal = EncodeRefusal(frame.event, bad);
    channel.Push(std::move(refusal.event), refusal.parts()).IgnoreError();
    return;
  }
  listener_->OnBadHubCall(frame.topic, frame.event, bad.request_id, bad.error);
}

void HubClient::RefuseRequestId(PhoenixChannel& channel, const std::string& event,
                                const std::string& request_id) {
  base::LogWarning("call with a request_id that is too long refused",
                   {{"topic", channel.topic()}, {"event", event}, {"bytes", request_id.size()}});
  router::pb::PluginError error;
  error.set_code(std::string(code::kInvalidRequestId));
  error.set_name("InvalidRequestId");
  error.set_message(absl::StrCat("the request_id has ", request_id.size(), " bytes, and may have ",
                                 kMaxRequestIdBytes));
  // Nobody can be answered whose request_id alone is larger than a frame.
  if (channel.ready() && request_id.size() < max_frame_bytes_) {
    PushNow(channel, {event, request_id, std::move(error)});
  }
}

void HubClient::OnHubReply(Topic& topic, HubReply reply) {
  const std::string& name = topic.channel->topic();
  if (!topic.requests.Remove(reply.request_id)) {
    base::LogDebug("answer to an unknown hub call", {{"topic", name}});
    return;
  }
  listener_->OnHubReply(name, reply.request_id, std::move(reply.outcome));
}

void HubClient::OnPushRefused(PhoenixChannel& channel, absl::string_view ref,
                              absl::string_view response) {
  Topic* topic = FindTopic(channel.topic());
  if (topic == nullptr || shut_down_) return;
  const std::string request_id = topic->requests.RemoveByRef(ref);
  if (request_id.empty()) {
    base::LogWarning("the hub refused a message", {{"topic", channel.topic()}});
    return;
  }
  listener_->OnHubReply(channel.topic(), request_id, HubErrorStatus(response));
}

void HubClient::RegisterInTurn(PhoenixChannel& channel) {
  register_turns_.push_back(channel.topic());
  if (register_timer_ != base::Scheduler::kNoTimer) return;
  register_timer_ = scheduler_.After(absl::ZeroDuration(), [this] { RegisterNext(); });
}

void HubClient::RegisterNext() {
  const std::string name = std::move(register_turns_.front());
  register_turns_.pop_front();
  register_timer_ = register_turns_.empty()
                        ? base::Scheduler::kNoTimer
                        : scheduler_.After(absl::ZeroDuration(), [this] { RegisterNext(); });
  const Topic* const topic = FindTopic(name);
  if (topic != nullptr && !shut_down_) topic->channel->OnRegisterTurn();
}

absl::Status HubClient::CheckDefinitionFits(std::size_t bytes) { return CheckFrameBytes(bytes); }

void HubClient::OnDefinitionSuspected(PhoenixChannel& channel) {
  Topic* const topic = FindTopic(channel.topic());
  if (topic == nullptr) return;
  topic->definition_suspected = true;
  Quarantine(channel.topic());
}

bool HubClient::OnSocketFull(PhoenixChannel& channel) {
  const Topic* topic = FindTopic(channel.topic());
  const PhoenixSocket& full = *channel.socket();
  if (topic == nullptr || !pool_.MarkFull(full)) return false;
  base::LogInfo("connection takes no further plugin: using another one",
                {{"topic", channel.topic()}});
  pool_.Release(full);
  channel.Attach(pool_.Acquire(topic->mode));
  return true;
}

std::unique_ptr<PhoenixSocket> HubClient::MakeSocket(HubMode mode) {
  PhoenixSocket::Options socket_options = options_.socket;
  socket_options.uses_api_key = mode == HubMode::kDebug;
  return std::make_unique<PhoenixSocket>(
      PhoenixSocket::Environment{
          scheduler_, transports_(),
          [this, mode](const PhoenixSocket::UrlCallback& done) { FetchUrl(mode, done); },
          FormatHubUrl(options_.url), [this] { return ++last_connection_; },
          [this](router::HubPosition upto) {
            if (!shut_down_) listener_->OnProven(upto);
          },
          ++last_seed_},
      socket_options);
}

void HubClient::FetchUrl(HubMode mode, const PhoenixSocket::UrlCallback& done) {
  if (mode == HubMode::kRelease) return done(SocketUrl(options_.url, mode, ""));
  api_key_.Read([this, mode, done](const absl::StatusOr<std::string>& key) {
    if (!key.ok()) return done(key.status());
    done(SocketUrl(options_.url, mode, *key));
  });
}

const HubClient::Topic* HubClient::FindTopic(absl::string_view topic) const {
  const auto found = topics_.find(topic);
  return found == topics_.end() ? nullptr : &found->second;
}

HubClient::Topic* HubClient::FindTopic(absl::string_view topic) {
  const auto found = topics_.find(topic);
  return found == topics_.end() ? nullptr : &found->second;
}

PhoenixChannel* HubClient::Writable(Topic* topic) {
  if (topic == nullptr || shut_down_ || !topic->channel->ready()) return nullptr;
  PhoenixChannel& channel = *topic->channel;
  if (channel.socket()->buffered_amount() <= options_.send_buffer_bytes) return &channel;
  blocked_topics_.insert(channel.topic());
  if (writable_timer_ == base::Scheduler::kNoTimer) {
    writable_timer_ = scheduler_.After(options_.writable_poll, [this] { PollWritable(); });
  }
  return nullptr;
}

void HubClient::PollWritable() {
  writable_timer_ = base::Scheduler::kNoTimer;
  const std::size_t before = blocked_topics_.size();
  for (auto name = blocked_topics_.begin(); name != blocked_topics_.end();) {
    const Topic* topic = FindTopic(*name);
    const bool still_blocked =
        topic != nullptr && topic->channel->ready() &&
        topic->channel->socket()->buffered_amount() > options_.send_buffer_bytes / 2;
    name = still_blocked ? std::next(name) : blocked_topics_.erase(name);
  }
  if (!blocked_topics_.empty()) {
    writable_timer_ = scheduler_.After(options_.writable_poll, [this] { PollWritable(); });
  }
  if (blocked_topics_.size() < before) listener_->OnWritable();
}

void HubClient::FailRequests(Topic& topic, absl::string_view reason) {
  for (std::string& request_id : topic.requests.RemoveAll()) {
    ReplyLater(topic.channel->topic(), std::move(request_id), absl::UnavailableError(reason));
  }
}

void HubClient::ReplyLater(absl::string_view topic, std::string request_id, absl::Status error) {
  Later([this, topic = std::string(topic), request_id = std::move(request_id),
         error = std::move(error)] { listener_->OnHubReply(topic, request_id, error); });
}

void HubClient::ReportState(Topic& topic) {
  const HubState& state = topic.channel->state();
  if (SameState(state, topic.reported)) return;
  const bool was_up = std::exchange(topic.reported_up, topic.channel->ready());
  const bool is_loss = was_up && state.state() == HubState::STATE_DISCONNECTED;
  topic.reported = state;
  LogState(*topic.channel);
  if (is_loss) listener_->OnTopicLost(topic.channel->topic(), topic.channel->loss());
  listener_->OnTopicState(topic.channel->topic(), HubState(state));
}

void HubClient::ReportStateLater(const PhoenixChannel& channel) {
  Later([this, name = channel.topic()] {
    if (Topic* topic = FindTopic(name)) ReportState(*topic);
  });
}

void HubClient::Later(std::function<void()> task) {
  scheduler_.Post([this, alive = std::weak_ptr<bool>(alive_), task = std::move(task)] {
    if (alive.lock() != nullptr && !shut_down_) task();
  });
}

void HubClient::LogState(const PhoenixChannel& channel) const {
  const HubState& state = channel.state();
  switch (state.state()) {
    case HubState::STATE_REGISTERED:
      return base::LogInfo("plugin registered with the hub", {{"topic", channel.topic()}});
    case HubState::STATE_DISCONNECTED:
      // What befell the connection is logged once, by the socket.
      if (!channel.socket()->is_open()) return;
      return base::LogWarning("plugin lost at the hub: joining again",
                              {{"topic", channel.topic()}, {"reason", state.reason()}});
    default:
      return;
  }
}

}  // namespace atomemo::hub
