#include "bridge/router/plugin_status.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"

namespace atomemo::router {
namespace {

// Fewer may be the callers' fault.
constexpr std::size_t kTimeoutsOfABrokenPlugin = 3;
// A healthy hub confirms an answer within a round trip and the 50 ms that it is not asked for.
constexpr absl::Duration kSlowConfirmation = absl::Seconds(10);
// By how much a deadline may be late before it tells that the event loop hardly turns.
constexpr absl::Duration kDeadlineSlack = absl::Seconds(1);

struct ActiveCalls {
  std::size_t running = 0;
  std::size_t queued = 0;
  absl::Time oldest = absl::InfiniteFuture();
  absl::Time first_deadline = absl::InfiniteFuture();

  void Add(const CallList& calls, std::size_t& count) {
    count += calls.size();
    for (const LiveCall& call : calls) {
      oldest = std::min(oldest, call.arrived);
      first_deadline = std::min(first_deadline, call.deadline);
    }
  }
};

ActiveCalls CallsOf(const Plugin& plugin) {
  ActiveCalls calls;
  for (const CallList& queue : plugin.queues) calls.Add(queue, calls.queued);
  for (const Session* worker : plugin.workers) {
    for (const auto& stream : worker->streams) {
      if (stream) calls.Add(stream->in_flight, calls.running);
    }
  }
  return calls;
}

bool Serves(const Session& worker, CallKind kind) {
  return !worker.draining && worker.streams[static_cast<std::size_t>(kind)].has_value();
}

std::string HubReason(const pb::HubState& state) {
  const bool is_rejected = state.state() == pb::HubState::STATE_REJECTED;
  // Its reason says so itself.
  if (is_rejected && !state.reason().empty()) return state.reason();
  const absl::string_view what = is_rejected ? "the hub refused the plugin"
                                 : state.state() == pb::HubState::STATE_UNAUTHORIZED
                                     ? "the hub refused the key"
                                     : "not registered with the hub";
  return state.reason().empty() ? std::string(what) : absl::StrCat(what, ": ", state.reason());
}

// Empty if nothing is wrong.
std::string WhyNotReady(const Plugin& plugin, const ActiveCalls& calls, absl::Duration unproven,
                        std::size_t suspects, absl::Time now) {
  if (!plugin.registered()) return HubReason(plugin.hub_state);
  const auto any_worker = [&plugin](auto test) {
    return std::any_of(plugin.workers.begin(), plugin.workers.end(), test);
  };
  if (!any_worker([](const Session* worker) { return !worker->draining; })) {
    return "no worker is connected";
  }
  if (!plugin.tools().empty() &&
      !any_worker([](const Session* worker) { return Serves(*worker, CallKind::kInvoke); })) {
    return "the plugin has tools, and no worker has opened an Invoke stream";
  }
  if (calls.first_deadline + kDeadlineSlack < now) return "a call is past its deadline";
  if (plugin.timeouts_in_a_row >= kTimeoutsOfABrokenPlugin) {
    return absl::StrCat("its last ", plugin.timeouts_in_a_row,
                        " calls ran into their deadline without an answer");
  }
  if (suspects > 0) {
    return absl::StrCat("the hub cannot take one of ", suspects,
                        " answers: it is being looked for, and will be answered with an error");
  }
  if (unproven > kSlowConfirmation) {
    return absl::StrCat("the hub has not confirmed an answer for ", absl::ToInt64Seconds(unproven),
                        " s");
  }
  return "";
}

}  // namespace

admin::v1::PluginStatus StatusOf(const Plugin& plugin, const Outbox& outbox, absl::Time now) {
  const ActiveCalls calls = CallsOf(plugin);
  admin::v1::PluginStatus status;
  status.set_topic(plugin.topic);
  status.set_name(plugin.name);
  status.set_version(plugin.version);
  *status.mutable_hub_state() = plugin.hub_state;
  status.set_reason(
      WhyNotReady(plugin, calls, outbox.unproven_for(plugin), plugin.lane.suspects(), now));
  status.set_ready(status.reason().empty());
  const auto draining = std::count_if(plugin.workers.begin(), plugin.workers.end(),
                                      [](const Session* worker) { return worker->draining; });
  status.set_workers(static_cast<std::int64_t>(plugin.workers.size()) - draining);
  status.set_draining_workers(draining);
  status.set_running_calls(static_cast<std::int64_t>(calls.running));
  status.set_queued_calls(static_cast<std::int64_t>(calls.queued));
  status.set_undelivered_answers(static_cast<std::int64_t>(plugin.unproven.calls));
  status.set_timeouts_in_a_row(static_cast<std::int64_t>(plugin.timeouts_in_a_row));
  status.set_suspect_answers(static_cast<std::int64_t>(plugin.lane.suspects()));
  if (calls.oldest != absl::InfiniteFuture()) {
    *status.mutable_oldest_call_age() = google::protobuf::util::TimeUtil::NanosecondsToDuration(
        absl::ToInt64Nanoseconds(now - calls.oldest));
  }
  return status;
}

}  // namespace atomemo::router
