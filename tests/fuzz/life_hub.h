#ifndef ATOMEMO_TESTS_FUZZ_LIFE_HUB_H_
#define ATOMEMO_TESTS_FUZZ_LIFE_HUB_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bridge/router/ports.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::fuzz {

// What the world notices first that must not be.
struct Fault {
  std::string text;

  void Expect(bool condition, absl::string_view what, absl::string_view of = "") {
    if (!condition && text.empty()) text = absl::StrCat(what, ": ", of);
  }
};

// A bridge may die between any two things that it does for others to see: from then on nobody sees
// what it does.
class Pulse {
 public:
  void DieAfter(std::size_t deeds) { left_ = deeds; }
  void Revive() { left_.reset(); }
  // One more deed: whether anybody sees it.
  bool Beat() {
    if (!left_) return true;
    if (*left_ == 0) return false;
    --*left_;
    return true;
  }

 private:
  std::optional<std::size_t> left_;
};

// An answer that the hub's channel took, with the bridge that gave it.
struct TakenAnswer {
  int bridge;
  // All of it; and what a bridge that comes after knows of it.
  std::string whole;
  std::string gist;
};

// A call as the hub knows it.
struct MadeCall {
  std::string topic;
  std::string event;
  // Nothing: the call is bad, as `error` says.
  std::optional<router::HubCall> call;
  absl::Status error;
  bool retry_safe = false;
  absl::Time made_at;
  // The last bridge that it was sent to.
  int bridge = 0;
  std::vector<TakenAnswer> taken;
  // It was answered once and not kept, since too much was under way.
  bool refused = false;
  // Another answer took the place of one that the hub cannot take, or seemed not to.
  bool convicted = false;
  // A channel crashed that had its answer, which was proven.
  bool taken_along = false;
  // Nobody knows of it any more: its answer was taken along, and the bridge killed right then.
  bool lost = false;
  // It was answered and run when the bridge was killed: the next one may get its worker's word on
  // it, and cannot know that the bridge before had failed it.
  bool outlived = false;
  // A worker that did not have it answered it, or one of several that had, or a bridge had to
  // decide on it before its worker was back.
  bool contested = false;
};

inline std::string GistOf(const router::HubAnswer& answer) {
  return answer.ok() ? std::get<std::string>(answer.outcome)
                     : std::get<router::pb::PluginError>(answer.outcome).code();
}

inline std::string WholeOf(const router::HubAnswer& answer) {
  const std::string outcome =
      answer.ok() ? std::get<std::string>(answer.outcome)
                  : std::get<router::pb::PluginError>(answer.outcome).SerializeAsString();
  return absl::StrCat(answer.event, " ", answer.ok(), " ", outcome);
}

// Answers that a hub cannot take have one of these in their text.
inline constexpr char kCrashesChannel[] = "crash";
inline constexpr char kEndsConnection[] = "end";

// A hub as Phoenix is one: a socket takes frames in their order and proves them, a channel looks at
// them later. What a channel has looked at is taken; a channel that crashes takes the rest along.
class LifeHub : public router::HubPort {
 public:
  LifeHub(fakes::ManualScheduler& scheduler, Pulse& pulse, Fault& fault)
      : scheduler_(scheduler), pulse_(pulse), fault_(fault) {}

  struct Frame {
    std::uint64_t sequence;
    std::string request_id;
    router::HubAnswer answer;
    bool is_refusal = false;
    absl::Time proven_at = absl::InfiniteFuture();
  };
  struct Channel {
    bool up = false;
    // A changed definition is being looked at.
    bool asked = false;
    bool leaving = false;
    bool quarantined = false;
    std::shared_ptr<const std::string> definition;
    std::uint64_t socket = 0;
    std::deque<Frame> frames;  // that it has not looked at
  };

  // ---- router::HubPort

  void Announce(router::Announcement announcement) override {
    Channel& channel = channels[announcement.topic];
    if (channel.up && !channel.leaving && *channel.definition != *announcement.definition_json) {
      channel.asked = true;
    }
    channel.definition = announcement.definition_json;
  }
  void Withdraw(absl::string_view topic) override {
    TakeUpTo(channels[std::string(topic)], ~std::uint64_t{0});
    channels.erase(std::string(topic));
  }
  bool IsUp(absl::string_view topic) const override {
    const auto channel = channels.find(std::string(topic));
    return channel != channels.end() && channel->second.up && !channel->second.leaving;
  }
  std::optional<router::HubPosition> Push(absl::string_view topic,
                                          const router::HubAnswer& answer) override {
    if (!IsUp(topic) || !writable) return std::nullopt;
    return Take(topic, answer, false);
  }
  bool PushRefusal(absl::string_view topic, const router::HubAnswer& answer) override {
    const auto made = calls.find(answer.request_id);
    if (made != calls.end()) made->second.refused = true;
    if (!IsUp(topic)) return false;
    Take(topic, answer, true);
    return true;
  }
  bool PushRequest(absl::string_view topic, const router::HubRequest& request) override {
    if (!IsUp(topic) || !writable || !pulse_.Beat()) return false;
    requests.emplace_back(topic, request.request_id);
    return true;
  }
  void RequestProof(absl::string_view topic) override {
    proofs_asked.push_back(channels[std::string(topic)].socket);
  }
  admin::v1::HubConnection Connection() const override { return {}; }
  void Hasten(absl::string_view) override {}
  void Quarantine(absl::string_view topic) override {
    channels[std::string(topic)].quarantined = true;
  }
  void Unquarantine(absl::string_view topic) override {
    channels[std::string(topic)].quarantined = false;
  }
  void LearnFrom(const router::HubAnswer& refused, const router::HubLoss&) override {
    fault_.Expect(!is_honest || IsPoison(refused), "an answer is blamed that the hub can take",
                  refused.request_id);
    calls[refused.request_id].convicted = true;
  }
  void Leave(absl::string_view topic) override { channels[std::string(topic)].leaving = true; }

  // ---- What happens at the hub

  static bool IsPoison(const router::HubAnswer& answer) {
    return CrashesChannel(answer) || EndsConnection(answer);
  }

  // The channel looks at its first frame. False if that was its end.
  bool Look(const std::string& topic) {
    Channel& channel = channels[topic];
    if (channel.frames.empty()) return true;
    if (EndsConnection(channel.frames.front().answer)) {
      EndSocket(channel.socket, router::HubLoss::Cause::kRefused);
      return false;
    }
    if (CrashesChannel(channel.frames.front().answer)) {
      EndChannel(topic, router::HubLoss::Cause::kRefused);
      return false;
    }
    const Frame frame = std::move(channel.frames.front());
    channel.frames.pop_front();
    Taken(frame);
    return true;
  }
  void LookAtAll(const std::string& topic) {
    while (!channels[topic].frames.empty() && Look(topic)) {
    }
  }

  // A channel is never further behind its socket than this.
  void LookAtOld() {
    for (const std::string& topic : Topics()) {
      while (!channels[topic].frames.empty() &&
             channels[topic].frames.front().proven_at + absl::Milliseconds(400) <=
                 scheduler_.Now()) {
        if (!Look(topic)) break;
      }
    }
  }

  void Join(const std::string& topic) {
    Channel& channel = channels[topic];
    channel.up = true;
    channel.asked = false;
    if (channel.quarantined) {
      channel.socket = ++last_socket_;
    } else {
      if (shared_socket_ == 0) shared_socket_ = ++last_socket_;
      channel.socket = shared_socket_;
    }
    Tell(topic, router::pb::HubState::STATE_REGISTERED);
  }

  // What it has not looked at goes with it.
  void EndChannel(const std::string& topic, router::HubLoss::Cause cause) {
    Channel& channel = channels[topic];
    for (const Frame& frame : channel.frames) {
      if (WasProven(frame)) calls[frame.request_id].taken_along = true;
    }
    Lost(topic, {cause, false, 0, "the channel crashed"});
  }

  // The socket got all before the first frame that it cannot take, or that it has not proven and
  // `luck` is over.
  void EndSocket(std::uint64_t socket, router::HubLoss::Cause cause, std::size_t luck = 0) {
    std::vector<std::string> topics;
    std::uint64_t end = ~std::uint64_t{0};
    for (const auto& [topic, channel] : channels) {
      if (!channel.up || channel.socket != socket) continue;
      topics.push_back(topic);
      for (const Frame& frame : channel.frames) {
        if (EndsConnection(frame.answer)) end = std::min(end, frame.sequence);
      }
    }
    const bool by_frame = cause == router::HubLoss::Cause::kRefused;
    for (const std::string& topic : topics) {
      std::deque<Frame>& frames = channels[topic].frames;
      std::uint64_t upto = by_frame ? end : 0;
      for (const Frame& frame : frames) {
        if (!by_frame && (WasProven(frame) || luck > 0)) upto = std::min(end, frame.sequence + 1);
        if (!WasProven(frame) && luck > 0) --luck;
      }
      TakeUpTo(channels[topic], upto);
    }
    if (socket == shared_socket_) shared_socket_ = 0;
    for (const std::string& topic : topics) {
      Lost(topic, {cause, topics.size() > 1, by_frame ? 1009 : 0, "the connection ended"});
    }
  }

  // The channel has come to the bridge's leave.
  void HandleLeave(const std::string& topic) {
    LookAtAll(topic);
    Channel& channel = channels[topic];
    if (!std::exchange(channel.leaving, false)) return;
    listener->OnTopicLeft(topic, std::exchange(channel.up, false));
  }

  // The socket proves what it got, up to there.
  void Prove(std::uint64_t socket, std::uint64_t upto) {
    for (const auto& [topic, channel] : channels) {
      if (channel.socket != socket) continue;
      for (const Frame& frame : channel.frames) {
        if (EndsConnection(frame.answer)) upto = std::min(upto, frame.sequence - 1);
      }
    }
    for (auto& [topic, channel] : channels) {
      if (channel.socket != socket) continue;
      for (Frame& frame : channel.frames) {
        if (frame.sequence <= upto) frame.proven_at = std::min(frame.proven_at, scheduler_.Now());
      }
    }
    listener->OnProven({socket, upto});
  }
  std::uint64_t sequence() const { return sequence_; }

  void Tell(const std::string& topic, router::pb::HubState::State state) {
    router::pb::HubState message;
    message.set_state(state);
    listener->OnTopicState(topic, message);
  }

  // The bridge is gone. What the sockets had got is looked at.
  void BridgeGone(std::size_t luck) {
    listener = &nobody_;
    for (std::uint64_t socket = 1; socket <= last_socket_; ++socket) {
      EndSocket(socket, router::HubLoss::Cause::kOther, luck);
    }
    channels.clear();
    requests.clear();
    proofs_asked.clear();
    writable = true;
  }

  std::vector<std::string> Topics() const {
    std::vector<std::string> topics;
    for (const auto& [topic, channel] : channels) topics.push_back(topic);
    return topics;
  }

  std::map<std::string, Channel> channels;
  std::map<std::string, MadeCall> calls;                      // by request_id
  std::vector<std::pair<std::string, std::string>> requests;  // topic and request_id
  std::vector<std::uint64_t> proofs_asked;                    // sockets
  bool writable = true;
  // It ends channels and connections for poison alone.
  bool is_honest = true;
  int bridge = 1;
  router::HubListener* listener = nullptr;
  // Whether a second answer from another bridge may differ.
  std::function<bool(const MadeCall&, const TakenAnswer& first)> may_differ;

 private:
  class Nobody : public router::HubListener {
   public:
    void OnTopicState(absl::string_view, router::pb::HubState) override {}
    void OnTopicLost(absl::string_view, const router::HubLoss&) override {}
    void OnTopicLeft(absl::string_view, bool) override {}
    void OnWritable() override {}
    void OnProven(router::HubPosition) override {}
    void OnHubCall(absl::string_view, router::HubCall) override {}
    void OnBadHubCall(absl::string_view, absl::string_view, absl::string_view,
                      const absl::Status&) override {}
    void OnHubReply(absl::string_view, absl::string_view, absl::StatusOr<std::string>) override {}
  };

  static bool Has(const router::HubAnswer& answer, absl::string_view poison) {
    return answer.ok() && absl::StrContains(std::get<std::string>(answer.outcome), poison);
  }
  static bool CrashesChannel(const router::HubAnswer& answer) {
    return Has(answer, kCrashesChannel);
  }
  static bool EndsConnection(const router::HubAnswer& answer) {
    return Has(answer, kEndsConnection);
  }

  static bool WasProven(const Frame& frame) { return frame.proven_at != absl::InfiniteFuture(); }

  // The channel looks at all before that, and at nothing behind one that it crashes on.
  void TakeUpTo(Channel& channel, std::uint64_t end) {
    while (!channel.frames.empty() && channel.frames.front().sequence < end &&
           !IsPoison(channel.frames.front().answer)) {
      const Frame frame = std::move(channel.frames.front());
      channel.frames.pop_front();
      Taken(frame);
    }
  }

  router::HubPosition Take(absl::string_view topic, const router::HubAnswer& answer,
                           bool is_refusal) {
    Channel& channel = channels[std::string(topic)];
    const router::HubPosition position{channel.socket, ++sequence_};
    const auto made = calls.find(answer.request_id);
    fault_.Expect(made != calls.end() && made->second.topic == topic,
                  "an answer to a call that was never made", answer.request_id);
    if (pulse_.Beat()) {
      channel.frames.push_back({position.sequence, answer.request_id, answer, is_refusal});
    }
    return position;
  }

  void Lost(const std::string& topic, const router::HubLoss& loss) {
    Channel& channel = channels[topic];
    channel.frames.clear();
    channel.up = false;
    if (std::exchange(channel.leaving, false)) return listener->OnTopicLeft(topic, false);
    listener->OnTopicLost(topic, loss);
    Tell(topic, router::pb::HubState::STATE_DISCONNECTED);
  }

  void Taken(const Frame& frame) {
    const auto made = calls.find(frame.request_id);
    if (made == calls.end()) return;
    MadeCall& call = made->second;
    const TakenAnswer answer{bridge, WholeOf(frame.answer), GistOf(frame.answer)};
    for (const TakenAnswer& first : call.taken) {
      if (call.refused || call.convicted || frame.is_refusal) break;
      if (first.bridge == bridge) {
        fault_.Expect(first.whole == answer.whole, "two answers",
                      absl::StrCat(frame.request_id, ": ", first.gist, ", then ", answer.gist));
      } else if (first.gist != answer.gist) {
        fault_.Expect(may_differ(call, first), "another answer after a restart",
                      absl::StrCat(frame.request_id, ": ", first.gist, ", then ", answer.gist));
      }
    }
    call.taken.push_back(answer);
  }

  fakes::ManualScheduler& scheduler_;
  Pulse& pulse_;
  Fault& fault_;
  Nobody nobody_;
  std::uint64_t last_socket_ = 0;
  std::uint64_t shared_socket_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace atomemo::fuzz

#endif  // ATOMEMO_TESTS_FUZZ_LIFE_HUB_H_
