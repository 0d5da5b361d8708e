#include "bridge/devhub/phoenix_socket.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/log.h"

namespace atomemo::devhub {
namespace {

constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kInternalError = 1011;
// How often a peer's silence and progress are looked at, as a part of the idle timeout.
constexpr int kChecksPerTimeout = 4;

}  // namespace

PhoenixSocket::PhoenixSocket(SocketOptions options, base::Scheduler& scheduler,
                             ChannelHandler& handler, SocketTransport& transport)
    : options_(std::move(options)),
      scheduler_(scheduler),
      handler_(handler),
      transport_(transport),
      last_received_(scheduler.Now()),
      last_progress_(scheduler.Now()) {
  WatchPeer();
}

PhoenixSocket::~PhoenixSocket() {
  ended_ = true;
  scheduler_.Cancel(watch_timer_);
  LeaveAll();
}

void PhoenixSocket::OnText(absl::string_view text) {
  if (ended_) return;
  last_received_ = scheduler_.Now();
  absl::StatusOr<hub::PhoenixFrame> frame = hub::ParsePhoenixFrame(text);
  if (!frame.ok()) {
    base::LogWarning("closed a socket that sent no phoenix frame",
                     {{"reason", frame.status().message()}});
    Close(kInternalError, "");
    return;
  }
  Dispatch(*frame);
}

void PhoenixSocket::OnBinary() {
  if (ended_) return;
  base::LogWarning("closed a socket that sent a binary message");
  Close(kInternalError, "");
}

void PhoenixSocket::Dispatch(const hub::PhoenixFrame& frame) {
  if (frame.topic == "phoenix" && frame.event == "heartbeat") {
    Reply(std::nullopt, frame, true, "{}");
  } else if (frame.event == "phx_join") {
    Join(frame);
  } else if (frame.event == "phx_leave") {
    Leave(frame);
  } else if (const auto channel = channels_.find(frame.topic); channel != channels_.end()) {
    // A copy: the channel may end in its own handler.
    PassToChannel(frame, JoinRef(channel->second));
  } else {
    Reply(std::nullopt, frame, false, R"({"reason":"unmatched topic"})");
  }
}

void PhoenixSocket::Join(const hub::PhoenixFrame& frame) {
  const std::optional<PluginTopic> plugin = ParsePluginTopic(options_.mode, frame.topic);
  if (!plugin) {
    Reply(std::nullopt, frame, false, R"({"reason":"unmatched topic"})");
    return;
  }
  const auto existing = channels_.find(frame.topic);
  if (existing != channels_.end()) {
    // Phoenix answers the new join before it tells the end of the old channel.
    const JoinRef old_ref = std::exchange(existing->second, frame.join_ref);
    handler_.OnLeft(*this, frame.topic);
    handler_.OnJoined(*this, frame.topic, *plugin);
    Reply(frame.join_ref, frame, true, "{}");
    SendChannelEnd(frame.topic, old_ref, "phx_close");
    return;
  }
  if (channels_.size() >= options_.max_channels) {
    Reply(frame.join_ref, frame, false, R"({"reason":"too many channels joined"})");
    return;
  }
  channels_.emplace(frame.topic, frame.join_ref);
  handler_.OnJoined(*this, frame.topic, *plugin);
  Reply(frame.join_ref, frame, true, "{}");
}

void PhoenixSocket::Leave(const hub::PhoenixFrame& frame) {
  const auto channel = channels_.find(frame.topic);
  if (channel == channels_.end()) {
    Reply(frame.join_ref, frame, true, "{}");
    return;
  }
  // A stale leave raced with a newer join: no reply.
  if (!frame.join_ref || channel->second != frame.join_ref) return;
  Reply(frame.join_ref, frame, true, "{}");
  EndChannel(frame.topic, "phx_close");
}

void PhoenixSocket::PassToChannel(const hub::PhoenixFrame& frame, const JoinRef& join_ref) {
  const ChannelOutcome outcome = handler_.OnEvent(*this, frame);
  switch (outcome.kind) {
    case ChannelOutcome::Kind::kNoReply:
      return;
    case ChannelOutcome::Kind::kOk:
    case ChannelOutcome::Kind::kError:
      Reply(join_ref, frame, outcome.kind == ChannelOutcome::Kind::kOk, outcome.response);
      return;
    case ChannelOutcome::Kind::kCrash:
      CrashChannel(frame.topic);
      return;
  }
}

bool PhoenixSocket::Push(const std::string& topic, absl::string_view event,
                         absl::string_view payload) {
  const auto channel = channels_.find(topic);
  if (channel == channels_.end()) return false;
  Send({channel->second, std::nullopt, topic, std::string(event), std::string(payload)});
  return true;
}

bool PhoenixSocket::EndChannel(const std::string& topic, absl::string_view event) {
  const auto channel = channels_.find(topic);
  if (channel == channels_.end()) return false;
  const JoinRef join_ref = std::move(channel->second);
  channels_.erase(channel);
  handler_.OnLeft(*this, topic);
  SendChannelEnd(topic, join_ref, event);
  return true;
}

void PhoenixSocket::SendChannelEnd(const std::string& topic, const JoinRef& join_ref,
                                   absl::string_view event) {
  Send({join_ref, join_ref, topic, std::string(event), "{}"});
}

void PhoenixSocket::Reply(const JoinRef& join_ref, const hub::PhoenixFrame& to, bool ok,
                          absl::string_view response) {
  Send({join_ref, to.ref, to.topic, "phx_reply",
        absl::StrCat(R"({"response":)", response, R"(,"status":")", ok ? "ok" : "error", "\"}")});
}

void PhoenixSocket::Send(const hub::PhoenixFrame& frame) {
  SendEncoded(hub::EncodePhoenixFrame(frame));
}

void PhoenixSocket::SendEncoded(const std::string& frame) {
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

void PhoenixSocket::Close(std::uint16_t code, const std::string& reason) {
  if (std::exchange(ended_, true)) return;
  LeaveAll();
  transport_.Close(code, reason);
}

void PhoenixSocket::Abort() {
  if (std::exchange(ended_, true)) return;
  LeaveAll();
  transport_.Abort();
}

void PhoenixSocket::LeaveAll() {
  const auto channels = std::exchange(channels_, {});
  for (const auto& [topic, join_ref] : channels) handler_.OnLeft(*this, topic);
}

void PhoenixSocket::WatchPeer() {
  watch_timer_ =
      scheduler_.After(options_.idle_timeout / kChecksPerTimeout, [this] { CheckPeer(); });
}

void PhoenixSocket::CheckPeer() {
  if (ended_) return;
  const absl::Time now = scheduler_.Now();
  const std::size_t unsent = transport_.UnsentBytes();
  const std::uint64_t taken = sent_bytes_ - std::min<std::uint64_t>(unsent, sent_bytes_);
  if (unsent == 0 || taken > taken_bytes_) last_progress_ = now;
  taken_bytes_ = std::max(taken, taken_bytes_);
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
