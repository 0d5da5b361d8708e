#include "bridge/router/live_call.h"

#include <initializer_list>

#include "absl/hash/hash.h"
#include "bridge/router/plugin.h"

namespace atomemo::router {
namespace {

constexpr std::uint16_t Bit(CallState state) {
  return static_cast<std::uint16_t>(1u << static_cast<unsigned>(state));
}

constexpr std::uint16_t Bits(std::initializer_list<CallState> states) {
  std::uint16_t bits = 0;
  for (const CallState state : states) bits |= Bit(state);
  return bits;
}

// Where a call may go from each state.
constexpr std::uint16_t kSteps[kCallStateCount] = {
    /* kRecovered */ Bits({CallState::kAnswered}),
    /* kAccepted */ Bits({CallState::kQueued, CallState::kAnswered}),
    /* kQueued */ Bits({CallState::kRunning, CallState::kFailing, CallState::kAnswered}),
    /* kRunning */ Bits({CallState::kQueued, CallState::kFailing, CallState::kAnswered}),
    /* kFailing */ Bits({CallState::kAnswered}),
    /* kAnswered */ Bits({CallState::kSent, CallState::kSettled}),
    /* kSent */ Bits({CallState::kProven, CallState::kAnswered, CallState::kSettled}),
    /* kProven */ Bits({CallState::kSettled, CallState::kAnswered}),
    /* kSettled */ Bits({}),
};

}  // namespace

absl::string_view CallStateName(CallState state) {
  switch (state) {
    case CallState::kRecovered:
      return "recovered";
    case CallState::kAccepted:
      return "accepted";
    case CallState::kQueued:
      return "queued";
    case CallState::kRunning:
      return "running";
    case CallState::kFailing:
      return "failing";
    case CallState::kAnswered:
      return "answered";
    case CallState::kSent:
      return "sent";
    case CallState::kProven:
      return "proven";
    case CallState::kSettled:
      return "settled";
  }
  return "?";
}

bool IsLegalStep(CallState from, CallState to) {
  return (kSteps[static_cast<std::size_t>(from)] & Bit(to)) != 0;
}

CallId CallIdOf(absl::string_view topic, absl::string_view request_id) {
  // With 64 bits, a collision among a million ids would not be absurd enough. Cut otherwise,
  // because the hash of a long text is mixed in as a whole.
  const std::size_t half = request_id.size() / 2;
  return {absl::HashOf(topic, request_id),
          absl::HashOf(request_id.substr(half), topic, request_id.substr(0, half))};
}

const std::string& LiveCall::topic() const {
  return plugin == nullptr ? recovered->topic : plugin->topic;
}

}  // namespace atomemo::router
