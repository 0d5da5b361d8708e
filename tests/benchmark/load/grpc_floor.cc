// The floor of the plugins' leg: what it costs to carry calls and answers over gRPC and a Unix
// socket, with nothing else. Calls its plugins and measures them; commands as for load_hub.
//
//   grpc_floor SOCKET [text|records]
//
// Its first line on stdout is {}. Topics have their plugins' names. No load at a fixed rate.

#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/benchmark/load/bare_plugin_server.h"
#include "tests/benchmark/load/driver.h"
#include "tests/benchmark/load/payload.h"

namespace atomemo::benchmark {
namespace {

class GrpcFloor : public BarePluginServer::Handler {
 public:
  explicit GrpcFloor(Content content)
      : payloads_(content), driver_([this](std::size_t topic, std::uint64_t id, std::size_t bytes) {
          SendCall(topic, id, bytes);
        }) {}

  Driver& driver() { return driver_; }

 private:
  void OnSubscribed(const std::string& plugin, BareCalls& calls) override {
    const std::size_t index = driver_.AddTopic(plugin);
    if (plugins_.size() <= index) plugins_.resize(index + 1);
    plugins_[index] = &calls;
  }

  void OnResult(BareCalls& /*calls*/, pb::InvokeResult& result) override {
    const std::optional<std::uint64_t> id = FindRequestId(result.request_id());
    if (id) driver_.meter().OnAnswer(*id, result.data().has_json() ? "" : "no data");
  }

  void SendCall(std::size_t topic, std::uint64_t id, std::size_t bytes) {
    pb::InvokeCall call;
    pb::Invocation& invocation = *call.mutable_invoke();
    invocation.mutable_info()->set_request_id(RequestId(id));
    invocation.set_tool_name("do-work");
    invocation.mutable_parameters()->set_json(payloads_.OfSize(bytes));
    plugins_[topic]->Send(std::move(call));
  }

  Payloads payloads_;
  Driver driver_;
  std::vector<BareCalls*> plugins_;  // by the driver's index
};

int Main(int argc, char** argv) {
  const std::optional<Content> content = ParseContent(argc > 2 ? argv[2] : "text");
  if (argc < 2 || !content) {
    std::fprintf(stderr, "usage: grpc_floor SOCKET [text|records]\n");
    return 2;
  }
  GrpcFloor floor(*content);
  BarePluginServer server(floor);
  if (!server.Start(argv[1])) return 1;
  PrintLine("{}");
  std::thread commands([&] {
    for (std::string line; std::getline(std::cin, line);) {
      server.Post([&floor, line] { floor.driver().OnCommand(line); });
    }
    std::_Exit(0);
  });
  server.Run();
  commands.join();
  return 0;
}

}  // namespace
}  // namespace atomemo::benchmark

int main(int argc, char** argv) { return atomemo::benchmark::Main(argc, argv); }
