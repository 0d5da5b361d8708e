#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_BARE_PLUGIN_SERVER_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_BARE_PLUGIN_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"

namespace atomemo::benchmark {

namespace pb = ::atomemo::plugin::v1;

class BareCalls;

// What gRPC itself needs to carry the contract's calls over a Unix socket: takes every session and
// every subscription, checks and remembers nothing. One completion queue and one thread, in Run.
class BarePluginServer {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // A plugin takes calls from now on. `calls` lasts as long as the server.
    virtual void OnSubscribed(const std::string& plugin, BareCalls& calls) = 0;
    virtual void OnResult(BareCalls& calls, pb::InvokeResult& result) = 0;
  };

  // `handler` must outlive the server, and is called on Run's thread.
  explicit BarePluginServer(Handler& handler) : handler_(handler) {}

  // False if it cannot listen there.
  bool Start(const std::string& socket);
  void Run();
  // Runs `task` in Run's thread; any thread.
  void Post(std::function<void()> task);

 private:
  class Alarm;
  class Session;
  class Publication;
  class Stream;

  Handler& handler_;
  pb::PluginService::AsyncService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
};

// The Invoke stream of one plugin.
class BareCalls {
 public:
  virtual ~BareCalls() = default;
  // Any thread.
  virtual void Send(pb::InvokeCall call) = 0;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_BARE_PLUGIN_SERVER_H_
