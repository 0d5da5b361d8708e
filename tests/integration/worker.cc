// A plugin for tests that kill it: tool "work-on" takes `ms` milliseconds, and every run is on
// record.
//
//   worker SOCKET RECORD
//
// SOCKET is the bridge's; to the file RECORD one line is appended for every run that begins, with
// its request_id and this process's id: one write, which survives the process.

#include <fcntl.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "atomemo/plugin.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: worker SOCKET RECORD\n";
    return 2;
  }
  constexpr int kMode = 0600;
  const int record = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
  if (record < 0) {
    std::cerr << "worker: cannot open " << argv[2] << "\n";
    return 1;
  }
  atomemo::Plugin plugin(atomemo::PluginInfo("worker").Version("1.0.0").Author("Atomemo"));
  plugin.AddTool(
      atomemo::Tool("work-on")
          .Parameter(atomemo::Integer("ms")
                         .DisplayName("Milliseconds")
                         .Required()
                         .Ui(atomemo::NumberInput()))
          .Timeout(absl::Seconds(15))
          .Invoke([record](const atomemo::Call& call) -> absl::StatusOr<atomemo::Json> {
            const std::string line = absl::StrCat(call.request_id(), " ", getpid(), "\n");
            if (write(record, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
              return absl::DataLossError("the run cannot be recorded");
            }
            const absl::StatusOr<int> ms = call.Get<int>("ms");
            if (!ms.ok()) return ms.status();
            call.WaitCancelled(absl::Milliseconds(*ms));
            return atomemo::Json{{"pid", getpid()}};
          }));
  atomemo::RunOptions options;
  options.bridge = argv[1];
  options.max_concurrent_invocations = 64;
  options.last_retry_delay = absl::Milliseconds(200);
  const absl::Status status = plugin.Run(options);
  if (!status.ok()) std::cerr << "worker: " << status << "\n";
  return status.ok() ? 0 : 1;
}
