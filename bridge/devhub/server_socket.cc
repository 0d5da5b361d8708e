#include "bridge/devhub/server_socket.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/log.h"
#include "bridge/devhub/frame_reader.h"

namespace atomemo::devhub {
namespace {

constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kInternalError = 1011;
// How often a peer's silence and progress are looked at, as a part of the idle timeout.
constexpr int kChecksPerTimeout = 4;

}  // namespace

ServerSocket::ServerSocket(SocketOptions options, base::Scheduler& scheduler,
                           ChannelHandler& handler, SocketTransport& transport)
    : options_(std::move(options)),
      scheduler_(scheduler),
      handler_(handler),
      transport_(transport),
      last_received_(scheduler.Now()),
      last_progress_(scheduler.Now()) {
  WatchPeer();
}

ServerSocket::~ServerSocket() {
  ended_ = true;
  scheduler_.Cancel(watch_timer_);
  LeaveAll();
}

void ServerSocket::OnText(absl::string_view text) {
  if (ended_) return;
  last_received_ = scheduler_.Now();
  absl::StatusOr<hub::PhoenixFrame> frame = ReadHubFrame(text);
  if (!frame.ok()) {
    base::LogWarning("closed a socket that sent no phoenix frame",
                     {{"reason", frame.status().message()}});
    Close(kInternalError, "");
    return;
  }
  Dispatch(*std::move(frame));
}

void ServerSocket::OnBinary() {
  if (ended_) return;
  base::LogWarning("closed a socket that sent a binary message");
  Close(kInternalError, "");
}

void ServerSocket::Dispatch(hub::PhoenixFrame frame) {
  const auto channel = channels_.find(frame.topic);
  if (frame.topic == "phoenix" && frame.event == "heartbeat") {
    Reply(std::nullopt, frame, true, "{}");
  } else if (frame.event == "phx_join") {
    Join(frame);
  } else if (frame.event == "phx_leave") {
    Leave(std::move(frame));
  } else if (channel == channels_.end()) {
    Reply(std::nullopt, frame, false, R"({"reason":"unmatched topic"})");
  } else if (!handler_.CanRead(frame)) {
    base::LogWarning("closed a socket that sent what this hub was told not to read",
                     {{"topic", frame.topic}, {"event", frame.event}});
    Close(kInternalError, "");
  } else {
    Post(channel->first, channel->second, {Mail::Kind::kFrame, std::move(frame), {}});
  }
}

void ServerSocket::Join(const hub::PhoenixFrame& frame) {
  const std::optional<base::PluginTopic> plugin =
      base::ParsePluginTopic(options_.mode, frame.topic);
  if (!plugin) {
    Reply(std::nullopt, frame, false, R"({"reason":"unmatched topic"})");
    return;
  }
  Channel joined;
  joined.join_ref = frame.join_ref;
  joined.own_ref = frame.join_ref ? frame.join_ref : frame.ref;
  const auto existing = channels_.find(frame.topic);
  if (existing != channels_.end()) {
    // Phoenix kills the old channel, and answers the new join before it tells the old one's end.
    Channel old = std::exchange(existing->second, std::move(joined));
    LoseMail(old);
    handler_.OnLeft(*this, frame.topic);
    handler_.OnJoined(*this, frame.topic, *plugin);
    Reply(frame.join_ref, frame, true, "{}");
    SendChannelEnd(frame.topic, old.join_ref, "phx_close");
    return;
  }
  if (channels_.size() >= options_.max_channels) {
    Reply(frame.join_ref, frame, false, R"({"reason":"too many channels joined"})");
    return;
  }
  channels_.emplace(frame.topic, std::move(joined));
  handler_.OnJoined(*this, frame.topic, *plugin);
  Reply(frame.join_ref, frame, true, "{}");
}

void ServerSocket::Leave(hub::PhoenixFrame frame) {
  const auto channel = channels_.find(frame.topic);
  if (channel == channels_.end()) {
    Reply(frame.join_ref, frame, true, "{}");
    return;
  }
  // A stale leave raced with a newer join: no reply.
  const JoinRef& join_ref = channel->second.join_ref;
  if (join_ref && join_ref != frame.join_ref) return;
  Post(channel->first, channel->second, {Mail::Kind::kFrame, std::move(frame), {}});
}

void ServerSocket::Post(const std::string& topic, Channel& channel, Mail mail) {
  if (options_.channel_lag <= absl::ZeroDuration()) {
    // Copies: the channel may end in its own handler.
    return Handle(std::string(topic), mail, JoinRef(channel.own_ref));
  }
  mail.due = scheduler_.Now() + options_.channel_lag;
  channel.mailbox.push_back(std::move(mail));
  if (channel.timer != base::Scheduler::kNoTimer) return;
  channel.timer = scheduler_.After(options_.channel_lag, [this, topic] { ReadMail(topic); });
}

void ServerSocket::ReadMail(const std::string& topic) {
  auto channel = channels_.find(topic);
  channel->second.timer = base::Scheduler::kNoTimer;
  // What is handled may end the channel, or put another one in its place, whose mail is not due.
  while (channel != channels_.end() && !channel->second.mailbox.empty() &&
         channel->second.mailbox.front().due <= scheduler_.Now()) {
    const Mail mail = std::move(channel->second.mailbox.front());
    channel->second.mailbox.pop_front();
    Handle(topic, mail, JoinRef(channel->second.own_ref));
    channel = channels_.find(topic);
  }
  if (channel == channels_.end() || channel->second.mailbox.empty() ||
      channel->second.timer != base::Scheduler::kNoTimer) {
    return;
  }
  channel->second.timer = scheduler_.After(channel->second.mailbox.front().due - scheduler_.Now(),
                                           [this, topic] { ReadMail(topic); });
}

void ServerSocket::Handle(const std::string& topic, const Mail& mail, const JoinRef& own_ref) {
  switch (mail.kind) {
    case Mail::Kind::kFrame:
      return HandleFrame(mail.frame, own_ref);
    case Mail::Kind::kPush:
      return Send({own_ref, std::nullopt, topic, mail.frame.event, mail.frame.payload});
    case Mail::Kind::kClose:
      EndChannel(topic, "phx_close");
      return;
  }
}

void ServerSocket::HandleFrame(const hub::PhoenixFrame& frame, const JoinRef& own_ref) {
  if (frame.event == "phx_leave") {
    Reply(own_ref, frame, true, "{}");
    EndChannel(frame.topic, "phx_close");
    return;
  }
  const ChannelOutcome outcome = handler_.OnEvent(*this, frame);
  switch (outcome.kind) {
    case ChannelOutcome::Kind::kNoReply:
      return;
    case ChannelOutcome::Kind::kOk:
    case ChannelOutcome::Kind::kError:
      Reply(own_ref, frame, outcome.kind == ChannelOutcome::Kind::kOk, outcome.response);
      return;
    case ChannelOutcome::Kind::kCrash:
      CrashChannel(frame.topic);
      return;
  }
}

bool ServerSocket::Push(const std::string& topic, absl::string_view event,
                        absl::string_view payload) {
  const auto channel = channels_.find(topic);
  if (channel == channels_.end()) return false;
  Post(channel->first, channel->second,
       {Mail::Kind::kPush, {{}, {}, "", std::string(event), std::string(payload)}, {}});
  return true;
}

bool ServerSocket::CloseChannel(const std::string& topic) {
  const auto channel = channels_.find(topic);
  if (channel == channels_.end()) return false;
  Post(channel->first, channel->second, {Mail::Kind::kClose, {}, {}});
  return true;
}

bool ServerSocket::EndChannel(const std::string& topic, absl::string_view event) {
  const auto found = channels_.find(topic);
  if (found == channels_.end()) return false;
  Channel channel = std::move(found->second);
  channels_.erase(found);
  LoseMail(channel);
  handler_.OnLeft(*this, topic);
  SendChannelEnd(topic, channel.join_ref, event);
  return true;
}

void ServerSocket::LoseMail(Channel& channel) {
  scheduler_.Cancel(std::exchange(channel.timer, base::Scheduler::kNoTimer));
  for (const Mail& mail : std::exchange(channel.mailbox, {})) {
    if (mail.kind == Mail::Kind::kFrame) handler_.OnLost(*this, mail.frame);
  }
}

void ServerSocket::SendChannelEnd(const std::string& topic, const JoinRef& join_ref,
                                  absl::string_view event) {
  Send({join_ref, join_ref, topic, std::string(event), "{}"});
}

void ServerSocket::Reply(const JoinRef& join_ref, const hub::PhoenixFrame& to, bool ok,
                         absl::string_view response) {
  Send({join_ref, to.ref, to.topic, "phx_reply",
        absl::StrCat(R"({"response":)", response, R"(,"status":")", ok ? "ok" : "error", "\"}")});
}

void ServerSocket::Send(const hub::PhoenixFrame& frame) {
  SendEncoded(hub::EncodePhoenixFrame(frame));
}

void ServerSocket::SendEncoded(const std::string& frame) {
  if (ended_) return;
  const std::size_t waiting = transport_.UnsentBytes();
  if (waiting > options_.max_unsent_bytes) {
    base::LogWarning("dropped a socket that does not read", {{"unsent_bytes", waiting}});
    Abort();
    return;
  }
  if (waiting == 0) last_progress_ = scheduler_.Now();
  sent_bytes_ += frame.size();
  transport_.Send(frame);
}

void ServerSocket::Close(std::uint16_t code, const std::string& reason) {
  if (std::exchange(ended_, true)) return;
  LeaveAll();
  transport_.Close(code, reason);
}

void ServerSocket::Abort() {
  if (std::exchange(ended_, true)) return;
  LeaveAll();
  transport_.Abort();
}

void ServerSocket::Die() {
  for (auto& [topic, channel] : channels_) LoseMail(channel);
  Abort();
}

void ServerSocket::LeaveAll() {
  // One by one: what a channel still handles may end others.
  while (!channels_.empty()) {
    const auto channel = channels_.begin();
    const std::string topic = channel->first;
    if (channel->second.mailbox.empty()) {
      scheduler_.Cancel(channel->second.timer);
      channels_.erase(channel);
      handler_.OnLeft(*this, topic);
    } else {
      const Mail mail = std::move(channel->second.mailbox.front());
      channel->second.mailbox.pop_front();
      Handle(topic, mail, JoinRef(channel->second.own_ref));
    }
  }
}

void ServerSocket::WatchPeer() {
  watch_timer_ =
      scheduler_.After(options_.idle_timeout / kChecksPerTimeout, [this] { CheckPeer(); });
}

void ServerSocket::CheckPeer() {
  if (ended_) return;
  const absl::Time now = scheduler_.Now();
  const std::size_t unsent = transport_.UnsentBytes();
  const std::uint64_t taken = sent_bytes_ - std::min<std::uint64_t>(unsent, sent_bytes_);
  if (unsent == 0 || taken > taken_bytes_) last_progress_ = now;
  taken_bytes_ = std::max(taken, taken_bytes_);
  // Part of a message counts too; when it came is known as exactly as this is looked at.
  const std::uint64_t received = transport_.ReceivedBytes();
  if (received > received_bytes_ &&
      now - last_received_ > options_.idle_timeout / kChecksPerTimeout) {
    last_received_ = now;
  }
  received_bytes_ = received;
  if (now - last_progress_ >= options_.idle_timeout) {
    base::LogWarning("dropped a socket that does not read", {{"unsent_bytes", unsent}});
    Abort();
  } else if (now - last_received_ >= options_.idle_timeout) {
    base::LogInfo("closed an idle socket");
    Close(kProtocolError, "");
  } else {
    WatchPeer();
  }
}

}  // namespace atomemo::devhub
