#include "bridge/cli/health_command.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bridge/cli/command_line.h"
#include "bridge/cli/probe.h"
#include "bridge/plugin_service/rpcs.h"

namespace atomemo::cli {
namespace {

using admin::v1::GetStatusResponse;
using admin::v1::PluginStatus;

int Failed(const absl::Status& status, std::ostream& err) {
  err << "atomemo-bridge: " << status.message() << "\n";
  return kExitFailed;
}

// Leaves only the named plugins, and judges by them alone.
void Narrow(const std::vector<std::string>& names, GetStatusResponse& status) {
  std::string reason;
  const auto add = [&reason](absl::string_view name, absl::string_view why) {
    absl::StrAppend(&reason, reason.empty() ? "" : "; ", name, ": ", why);
  };
  google::protobuf::RepeatedPtrField<PluginStatus> chosen;
  for (const std::string& name : names) {
    bool known = false;
    for (const PluginStatus& plugin : status.plugins()) {
      if (plugin.name() != name) continue;
      known = true;
      if (!plugin.ready()) add(name, plugin.reason());
      *chosen.Add() = plugin;
    }
    if (!known) add(name, "no such plugin is published: start its process");
  }
  *status.mutable_plugins() = std::move(chosen);
  status.set_ready(reason.empty());
  status.set_reason(std::move(reason));
}

void PrintRefused(const GetStatusResponse& status, std::ostream& out) {
  for (const admin::v1::RefusedDefinition& refused : status.refused_definitions()) {
    out << "refused: " << refused.name() << " (pid " << refused.pid() << ", " << refused.times()
        << (refused.times() == 1 ? " time): " : " times): ") << refused.path()
        << (refused.path().empty() ? "" : ": ") << refused.message() << "\n";
  }
}

void PrintText(const GetStatusResponse& status, std::ostream& out) {
  out << (status.ready() ? "ready" : absl::StrCat("not ready: ", status.reason())) << "\n";
  out << "hub " << status.hub().url() << ": "
      << (status.hub().connected() ? absl::StrCat(status.hub().open_sockets(), " connection(s)")
                                   : "not connected")
      << "\n";
  PrintRefused(status, out);
  if (!status.journal().problem().empty()) {
    out << "journal " << status.journal().path() << (status.journal().ok() ? ": " : " is off: ")
        << status.journal().problem() << "\n";
  }
  if (status.plugins().empty()) {
    out << "no plugin is published\n";
    return;
  }
  int width = 6;
  for (const PluginStatus& plugin : status.plugins()) {
    width = std::max(width, static_cast<int>(plugin.topic().size()));
  }
  out << absl::StreamFormat("%-*s  %-5s  %7s  %7s  %6s  %11s\n", width, "topic", "ready", "workers",
                            "running", "queued", "undelivered");
  for (const PluginStatus& plugin : status.plugins()) {
    out << absl::StreamFormat("%-*s  %-5s  %7d  %7d  %6d  %11d\n", width, plugin.topic(),
                              plugin.ready() ? "yes" : "no", plugin.workers(),
                              plugin.running_calls(), plugin.queued_calls(),
                              plugin.undelivered_answers());
  }
}

void PrintJson(const GetStatusResponse& status, std::ostream& out) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (google::protobuf::util::MessageToJsonString(status, &json, options).ok()) out << json << "\n";
}

// For users whom the bridge does not tell more than ready or not.
int ProbeOnly(const HealthOptions& options, std::ostream& out, std::ostream& err) {
  std::vector<std::string> services;
  for (const std::string& plugin : options.plugins) {
    services.push_back(absl::StrCat(plugin_service::kPluginHealthPrefix, plugin));
  }
  if (services.empty()) services.push_back(options.live ? plugin_service::kLivenessService : "");
  for (const std::string& service : services) {
    const absl::Status status = ProbeHealth(options.socket, service, options.timeout);
    if (status.ok()) continue;
    return Failed(service.empty() || options.live
                      ? status
                      : absl::UnavailableError(absl::StrCat(service, ": ", status.message())),
                  err);
  }
  out << (options.live ? "alive" : "ready") << "\n";
  return kExitOk;
}

}  // namespace

int RunHealth(const HealthOptions& options, std::ostream& out, std::ostream& err) {
  if (options.live) return ProbeOnly(options, out, err);
  absl::StatusOr<GetStatusResponse> status = FetchStatus(options.socket, options.timeout);
  if (absl::IsPermissionDenied(status.status())) return ProbeOnly(options, out, err);
  if (!status.ok()) return Failed(status.status(), err);
  if (!options.plugins.empty()) Narrow(options.plugins, *status);
  options.json ? PrintJson(*status, out) : PrintText(*status, out);
  return status->ready() ? kExitOk : kExitFailed;
}

}  // namespace atomemo::cli
