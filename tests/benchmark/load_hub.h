#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_HUB_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_HUB_H_

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/asio_scheduler.h"
#include "bridge/devhub/call_broker.h"
#include "bridge/devhub/hub_call_service.h"
#include "bridge/devhub/plugin_channels.h"
#include "bridge/devhub/topic_directory.h"
#include "bridge/devhub/url_signer.h"
#include "bridge/devhub/web_server.h"

namespace atomemo::benchmark {

// The development hub's parts without its HTTP API, which would be the bottleneck: calls are made
// by function, on the hub's own thread. Takes every socket and any key.
class LoadHub : private devhub::WebHandler {
 public:
  // `answer` is the event that answered, for instance "invoke_tool_response"; empty if the call
  // timed out or was given up.
  using OnAnswer = std::function<void(const std::string& answer)>;

  LoadHub();
  // Gives up what is pending.
  ~LoadHub() override;

  // Listens on a free port of the loopback, and gives it.
  absl::StatusOr<std::uint16_t> Start();

  // Of the hub's thread.
  base::Scheduler& scheduler() { return scheduler_; }
  // Runs `task` on the hub's thread and waits for it.
  void Run(const std::function<void()>& task);

  // On the hub's thread. `members` is what the payload has beside its request_id: JSON text such as
  // `"tool_name":"do-work"`.
  void Call(const std::string& topic, absl::string_view event, absl::string_view members,
            const OnAnswer& on_answer);

  // On any thread but the hub's.
  int sockets();
  int registered();
  bool WaitRegistered(int count, absl::Duration limit);

 private:
  int Admit(const devhub::HttpRequest& request) override;
  std::unique_ptr<devhub::ServerSocket> OnOpen(const devhub::HttpRequest& request,
                                               devhub::SocketTransport& transport) override;
  void OnClosed(devhub::ServerSocket& socket) override;
  void OnHttp(devhub::HttpRequest request, devhub::HttpReply reply) override;

  asio::io_context io_{1};
  base::AsioScheduler scheduler_{io_};
  const devhub::UrlSigner signer_;
  const devhub::HubCallService hub_calls_{signer_};
  devhub::TopicDirectory directory_;
  devhub::CallBroker broker_;
  devhub::PluginChannels channels_;
  devhub::WebServer server_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;
  std::uint64_t last_request_ = 0;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_HUB_H_
