// How fast a call stream is: calls from the io thread over a Unix socket to a plugin in a process
// of its own, and its answers back to the io thread. Prints round-trip times with one call at a
// time, and throughput with many.
//
// Usage: plugin_service_benchmark [json|struct] [parameter bytes]
#include <grpcpp/grpcpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "bridge/base/log.h"
#include "bridge/payload/payload.h"
#include "bridge/plugin_service/plugin_server.h"
#include "tests/fakes/calls.h"
#include "tests/fakes/fake_plugin_port.h"
#include "tests/fakes/fake_status_port.h"
#include "tests/fakes/io_thread.h"

namespace atomemo {
namespace {

namespace pb = ::atomemo::plugin::v1;
using Clock = std::chrono::steady_clock;

constexpr int kWarmUp = 2000;
constexpr int kRoundTrips = 20000;
constexpr int kCalls = 200000;
constexpr int kInFlight = 256;

double MicrosecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// The plugin's process: answers every call at once.
int RunPlugin(const std::string& socket, pb::PayloadEncoding encoding) {
  const auto stub = pb::PluginService::NewStub(
      grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()));
  grpc::ClientContext session_context;
  session_context.set_wait_for_ready(true);
  pb::OpenSessionRequest open;
  open.set_payload_encoding(encoding);
  open.set_definition_json(
      R"({"name":"bench","display_name":{"en_US":"B"},"description":{"en_US":"B"},"icon":"B","locales":["en_US"]})");
  const auto session = stub->OpenSession(&session_context, open);
  pb::SessionEvent event;
  if (!session->Read(&event)) return 1;
  grpc::ClientContext context;
  const auto stream = stub->Invoke(&context);
  pb::InvokeReply reply;
  reply.mutable_subscribe()->set_session_id(event.opened().session_id());
  stream->Write(reply);
  pb::InvokeCall call;
  while (stream->Read(&call)) {
    pb::InvokeResult& result = *reply.mutable_result();
    result.set_request_id(call.invoke().info().request_id());
    result.mutable_data()->set_json(R"({"temperature":21.5})");
    stream->Write(reply);
  }
  return 0;
}

class Benchmark {
 public:
  Benchmark(std::string socket, std::string parameters) : parameters_(std::move(parameters)) {
    plugin_service::PluginServerOptions options;
    options.socket.path = std::move(socket);
    port_.on_reply = [this](const router::PluginReply& reply) {
      (void)reply.outcome(router::EventOf(router::CallKind::kInvoke));
      OnReply();
    };
    server_ =
        std::make_unique<plugin_service::PluginServer>(options, port_, status_, io_.scheduler());
    const absl::Status status = server_->Start();
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
      std::exit(1);
    }
    sink_ = port_.WaitForStream(router::CallKind::kInvoke);
  }

  ~Benchmark() { server_->Shutdown(absl::Seconds(1)); }

  // Keeps `in_flight` calls under way until `total` are answered; the round-trip times in
  // microseconds.
  std::vector<double> Run(int total, int in_flight) {
    std::promise<void> done;
    io_.scheduler().Post([&] {
      times_.clear();
      left_to_send_ = left_to_answer_ = total;
      done_ = &done;
      for (int i = 0; i < in_flight; ++i) SendOne();
    });
    done.get_future().wait();
    return times_;
  }

 private:
  void SendOne() {
    if (left_to_send_-- <= 0) return;
    pb::Invocation call;
    call.mutable_info()->set_request_id(absl::StrCat("request-", left_to_send_));
    call.set_tool_name("bench");
    *call.mutable_parameters() = payload::JsonObjectOf(parameters_);
    sent_ = Clock::now();
    sink_->Send(fakes::ForWorker(fakes::CallOf(std::move(call))));
  }

  void OnReply() {
    times_.push_back(MicrosecondsSince(sent_));
    SendOne();
    if (--left_to_answer_ == 0) done_->set_value();
  }

  const std::string parameters_;
  fakes::FakePluginPort port_;
  fakes::FakeStatusPort status_;
  fakes::IoThread io_;
  std::unique_ptr<plugin_service::PluginServer> server_;
  std::shared_ptr<router::CallSink> sink_;
  // On the io thread.
  std::vector<double> times_;
  Clock::time_point sent_;
  int left_to_send_ = 0;
  int left_to_answer_ = 0;
  std::promise<void>* done_ = nullptr;
};

int Main(int argc, char** argv) {
  const bool as_struct = argc > 1 && std::strcmp(argv[1], "struct") == 0;
  const int bytes = argc > 2 ? std::atoi(argv[2]) : 300;
  char folder[] = "/tmp/atomemo-bench-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  const std::string socket = absl::StrCat(folder, "/bridge.sock");
  const pid_t plugin = fork();  // before any thread is made
  if (plugin == 0) {
    _exit(RunPlugin(socket, as_struct ? pb::PAYLOAD_ENCODING_STRUCT : pb::PAYLOAD_ENCODING_JSON));
  }
  base::InitLog(base::LogLevel::kWarning, base::LogFormat::kText);
  {
    Benchmark benchmark(
        socket,
        absl::StrCat(R"({"text":")", std::string(static_cast<std::size_t>(bytes), 'x'), R"("})"));
    benchmark.Run(kWarmUp, 1);
    std::vector<double> times = benchmark.Run(kRoundTrips, 1);
    std::sort(times.begin(), times.end());
    std::printf("%s, %d bytes\n", as_struct ? "struct" : "json", bytes);
    std::printf("  one call at a time: median %.0f us, p99 %.0f us\n", times[times.size() / 2],
                times[times.size() * 99 / 100]);
    const Clock::time_point start = Clock::now();
    benchmark.Run(kCalls, kInFlight);
    std::printf("  %d in flight: %.0f calls/s\n", kInFlight,
                kCalls / (MicrosecondsSince(start) / 1e6));
  }
  waitpid(plugin, nullptr, 0);
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace atomemo

int main(int argc, char** argv) { return atomemo::Main(argc, argv); }
