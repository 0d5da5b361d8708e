#include "bridge/cli/limit_flags.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/base/memory_limit.h"
#include "bridge/cli/flag_types.h"

namespace atomemo::cli {
namespace {

constexpr std::size_t kParts = 64;
constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
constexpr std::size_t kMostMemory = 256 * kMiB;
constexpr std::size_t kLeastMemory = 32 * kMiB;
constexpr char kGroup[] = "Limits (past one, that call fails and names it)";

// Half of what the control group allows: beside what is bounded there are the libraries, and
// copies that live for a moment.
std::size_t DefaultMemory() {
  const std::size_t half = base::CgroupMemoryLimit().value_or(2 * kMostMemory) / 2;
  return std::clamp(half, kLeastMemory, kMostMemory);
}

}  // namespace

void LimitFlags::AddTo(CLI::App& app, AppOptions& options) {
  memory_ = DefaultMemory();
  AddSize(
      app, "--memory", memory_,
      "What calls and answers may occupy in all: the limits below follow from it. Default: half "
      "of the control group's limit, at most 256MB")
      ->group(kGroup);
  const auto bytes = [&](const char* name, std::size_t& value, std::size_t parts,
                         const std::string& help) {
    value = memory_ / kParts * parts;
    bounds_.push_back({&value, AddSize(app, name, value, help)->group(kGroup), parts, 0});
  };
  const auto count = [&](const char* name, std::size_t& value, std::size_t bytes_each,
                         const std::string& help) {
    value = memory_ / bytes_each;
    bounds_.push_back({&value, AddCount(app, name, value, help)->group(kGroup), 0, bytes_each});
  };
  router::RouterLimits& router = options.router.limits;
  count("--max-calls", router.max_calls, 12 * kKiB, "Calls in flight or queued, of all plugins");
  bytes("--max-call-bytes", router.max_call_bytes, 28, "What these hold");
  count("--max-plugin-calls", router.max_plugin_calls, 48 * kKiB, "The same of one plugin");
  bytes("--max-plugin-call-bytes", router.max_plugin_call_bytes, 24, "What these hold");
  count("--max-queued-calls", router.max_queued_calls, 256 * kKiB,
        "Calls that wait for a worker, a plugin");
  count("--max-outbox-answers", router.outbox.max_answers, 4 * kKiB,
        "Answers that the hub does not have yet");
  bytes("--max-outbox-bytes", router.outbox.max_bytes, 28, "What these hold");
  count("--max-plugin-answers", router.outbox.max_topic_answers, 16 * kKiB,
        "The same of one plugin");
  bytes("--max-plugin-answer-bytes", router.outbox.max_topic_bytes, 24, "What these hold");
  count("--max-sessions", router.max_sessions, 128 * kKiB, "Plugin sessions");
  count("--max-hub-calls", router.max_hub_calls, 256 * kKiB,
        "Calls to the hub under way, a session");
  count("--max-parked-answers", router.max_parked_answers, 4 * kKiB,
        "Answers to an earlier bridge's calls that cannot be taken yet, a session");
  bytes("--max-parked-bytes", router.max_parked_bytes, 16, "What these hold, of all sessions");
  plugin_service::PluginServerOptions& server = options.plugin_server;
  bytes("--max-definition-bytes", server.max_definition_bytes, 2, "One plugin's definition");
  count("--max-waiting-definitions", server.max_waiting_definitions, 256 * kKiB,
        "Definitions that wait to be checked");
  bytes("--max-waiting-definition-bytes", server.max_waiting_definition_bytes, 6,
        "What these hold, and those that are not published yet");
  bytes("--max-message-bytes", server.max_message_bytes, 8, "One message from or to a plugin");
  AddSize(app, "--max-file-bytes", server.max_file_bytes, "One file up or down")->group(kGroup);
  AddCount(app, "--max-transfers", server.max_transfers, "Files moved at once")->group(kGroup);
  AddCount(app, "--max-stream-messages", server.max_stream_messages,
           "Messages waiting on one stream")
      ->group(kGroup);
  bytes("--max-stream-bytes", server.max_stream_bytes, 16, "What these hold");
  // What no call fails for has no flag.
  bounds_.push_back({&router.answered_ids.max_answer_bytes, nullptr, 4, 0});
  bounds_.push_back({&router.answered_ids.max_ids, nullptr, 0, kKiB});
  bounds_.push_back({&router.outbox.max_settling_bytes, nullptr, 1, 0});
  bounds_.push_back({&options.hub.send_buffer_bytes, nullptr, 4, 0});
  bounds_.push_back({&options.hub.socket.pause_reading_above, nullptr, 4, 0});
}

absl::Status LimitFlags::Derive() {
  if (memory_ < kLeastMemory) {
    return absl::InvalidArgumentError(
        absl::StrCat("--memory is ", memory_, " bytes, and must be at least 32MB"));
  }
  for (const Bound& bound : bounds_) {
    if (bound.given != nullptr && bound.given->count() > 0) continue;
    *bound.value = bound.parts > 0 ? memory_ / kParts * bound.parts : memory_ / bound.bytes_each;
  }
  return absl::OkStatus();
}

}  // namespace atomemo::cli
