#include "tests/benchmark/load_hub.h"

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/integration/wait.h"

namespace atomemo::benchmark {
namespace {

constexpr absl::Duration kCallTimeout = absl::Minutes(30);
constexpr absl::Duration kUrlLifetime = absl::Minutes(15);

devhub::CallBroker::Limits BrokerLimits() {
  devhub::CallBroker::Limits limits;
  limits.max_finished = 0;  // nobody looks back
  return limits;
}

}  // namespace

LoadHub::LoadHub()
    : signer_("secret", kUrlLifetime),
      broker_(scheduler_, BrokerLimits()),
      channels_(directory_, broker_, hub_calls_, absl::Now),
      server_(io_, {}, *this) {}

LoadHub::~LoadHub() {
  if (!thread_.joinable()) return;
  Run([this] {
    server_.Shutdown();
    server_.AbortAll();
    broker_.AbortAll();
  });
  io_.stop();
  thread_.join();
}

absl::StatusOr<std::uint16_t> LoadHub::Start() {
  absl::StatusOr<std::uint16_t> port = server_.Listen("127.0.0.1", 0);
  if (port.ok()) thread_ = std::thread([this] { io_.run(); });
  return port;
}

void LoadHub::Run(const std::function<void()>& task) {
  std::promise<void> done;
  scheduler_.Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void LoadHub::Call(const std::string& topic, absl::string_view event, absl::string_view members,
                   const OnAnswer& on_answer) {
  devhub::JoinedTopic* const joined = directory_.Find(topic);
  if (joined == nullptr) return on_answer("");
  const std::string id = absl::StrCat("request-", ++last_request_);
  const absl::Status started = broker_.Start(
      id, topic, std::string(event), kCallTimeout, [on_answer](const devhub::Call& call) {
        on_answer(call.answers.empty() ? "" : call.answers.front().event);
      });
  if (!started.ok()) return on_answer("");
  joined->sockets.front()->Push(topic, event,
                                absl::StrCat(R"({"request_id":")", id, R"(",)", members, "}"));
}

int LoadHub::sockets() {
  int count = 0;
  Run([&] { count = static_cast<int>(directory_.sockets().size()); });
  return count;
}

int LoadHub::registered() {
  int count = 0;
  Run([&] {
    for (const auto& [name, topic] : directory_.topics()) count += topic.definition.empty() ? 0 : 1;
  });
  return count;
}

bool LoadHub::WaitRegistered(int count, absl::Duration limit) {
  return integration::WaitUntil([&] { return registered() >= count; }, limit);
}

int LoadHub::Admit(const devhub::HttpRequest& /*request*/) { return 101; }

std::unique_ptr<devhub::ServerSocket> LoadHub::OnOpen(const devhub::HttpRequest& request,
                                                      devhub::SocketTransport& transport) {
  devhub::SocketOptions options;
  options.base_url = absl::StrCat("http://", request.host);
  auto socket =
      std::make_unique<devhub::ServerSocket>(std::move(options), scheduler_, channels_, transport);
  directory_.AddSocket(*socket);
  return socket;
}

void LoadHub::OnClosed(devhub::ServerSocket& socket) { directory_.RemoveSocket(socket); }

void LoadHub::OnHttp(devhub::HttpRequest /*request*/, devhub::HttpReply reply) {
  reply(devhub::ErrorResponse(404, "not_found", "this hub has no HTTP API"));
}

}  // namespace atomemo::benchmark
