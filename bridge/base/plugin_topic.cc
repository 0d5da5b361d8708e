#include "bridge/base/plugin_topic.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace atomemo::base {
namespace {

constexpr absl::string_view kDebugPrefix = "debug_plugin:";
constexpr absl::string_view kReleasePrefix = "release_plugin:";
constexpr absl::string_view kVersionMark = "__release__";

}  // namespace

absl::string_view HubModeName(HubMode mode) {
  return mode == HubMode::kDebug ? "debug" : "release";
}

std::optional<PluginTopic> ParsePluginTopic(HubMode mode, absl::string_view topic) {
  if (mode == HubMode::kDebug) {
    if (!absl::ConsumePrefix(&topic, kDebugPrefix) || topic.empty()) return std::nullopt;
    return PluginTopic{mode, std::string(topic), ""};
  }
  if (!absl::ConsumePrefix(&topic, kReleasePrefix)) return std::nullopt;
  // The last mark counts: a version never contains it, a name might.
  const std::size_t mark = topic.rfind(kVersionMark);
  if (mark == absl::string_view::npos || mark == 0) return std::nullopt;
  const absl::string_view version = topic.substr(mark + kVersionMark.size());
  if (version.empty()) return std::nullopt;
  return PluginTopic{mode, std::string(topic.substr(0, mark)), std::string(version)};
}

std::string FormatPluginTopic(const PluginTopic& topic) {
  if (topic.mode == HubMode::kDebug) return absl::StrCat(kDebugPrefix, topic.name);
  return absl::StrCat(kReleasePrefix, topic.name, kVersionMark, topic.version);
}

}  // namespace atomemo::base
