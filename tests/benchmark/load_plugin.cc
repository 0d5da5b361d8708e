// A plugin under load, made with the SDK. Its tool "do-work" answers with its parameters (echo),
// never (hang), or never but calls the hub without a pause (shout).
//
//   load_plugin SOCKET NAME echo|hang|shout

#include <iostream>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "atomemo/plugin.h"

namespace {

using atomemo::Call;
using atomemo::Json;

absl::StatusOr<Json> Echo(const Call& call) { return call.parameters(); }

absl::StatusOr<Json> Hang(const Call& call) {
  call.WaitCancelled(absl::InfiniteDuration());
  return absl::CancelledError("nobody waits");
}

absl::StatusOr<Json> Shout(const Call& call) {
  while (!call.cancelled()) {
    const absl::StatusOr<Json> url = call.CallHub("get_file_url", {{"res_key", "a-file"}});
    if (!url.ok()) return url.status();
  }
  return absl::CancelledError("nobody waits");
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, atomemo::InvokeHandler> handlers = {
      {"echo", &Echo}, {"hang", &Hang}, {"shout", &Shout}};
  if (argc != 4 || handlers.count(argv[3]) == 0) {
    std::cerr << "usage: load_plugin SOCKET NAME echo|hang|shout\n";
    return 2;
  }
  atomemo::Plugin plugin(atomemo::PluginInfo(argv[2]).Version("1.0.0").Author("Atomemo"));
  plugin.AddTool(atomemo::Tool("do-work").Invoke(handlers.at(argv[3])));
  atomemo::RunOptions options;
  options.bridge = argv[1];
  options.drain_timeout = absl::ZeroDuration();
  const absl::Status status = plugin.Run(options);
  if (!status.ok()) std::cerr << "load_plugin: " << status << "\n";
  return status.ok() ? 0 : 1;
}
