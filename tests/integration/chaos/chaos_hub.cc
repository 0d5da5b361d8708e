#include "tests/integration/chaos/chaos_hub.h"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <future>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "bridge/base/asio_scheduler.h"
#include "bridge/base/json_members.h"
#include "bridge/devhub/call_broker.h"
#include "bridge/devhub/server_socket.h"
#include "bridge/devhub/topic_directory.h"
#include "bridge/devhub/web_server.h"
#include "bridge/hub/phoenix_frame.h"
#include "tests/integration/chaos/chaos_worker.h"

namespace atomemo::chaos {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(5);
// How far the channel is behind its socket.
constexpr absl::Duration kChannelLag = absl::Milliseconds(30);
constexpr char kHost[] = "127.0.0.1";

}  // namespace

// The hub from one start to the next kill. Everything but the constructor, Start and the destructor
// runs on the thread.
class ChaosHub::Life : public devhub::WebHandler, public devhub::ChannelHandler {
 public:
  explicit Life(ChaosHub& hub)
      : hub_(hub), scheduler_(io_), work_(asio::make_work_guard(io_)), server_(io_, {}, *this) {}

  ~Life() override {
    if (thread_.joinable()) {
      asio::post(io_, [this] { Die(); });
      thread_.join();
    }
    hub_.registered_ = false;
  }

  absl::StatusOr<std::uint16_t> Start(std::uint16_t port) {
    absl::StatusOr<std::uint16_t> listening = server_.Listen(kHost, port);
    if (!listening.ok()) return listening;
    Tick();
    thread_ = std::thread([this] { io_.run(); });
    return listening;
  }

  bool EndChannel(bool (devhub::ServerSocket::*end)(const std::string&)) {
    const auto ended = std::make_shared<std::promise<bool>>();
    asio::post(io_, [this, ended, end] {
      const devhub::JoinedTopic* joined = directory_.Find(kTopic);
      ended->set_value(joined != nullptr && (joined->sockets.back()->*end)(kTopic));
    });
    return ended->get_future().get();
  }

  int Admit(const devhub::HttpRequest& /*request*/) override { return 101; }

  std::unique_ptr<devhub::ServerSocket> OnOpen(const devhub::HttpRequest& /*request*/,
                                               devhub::SocketTransport& transport) override {
    devhub::SocketOptions options;
    options.channel_lag = kChannelLag;
    auto socket =
        std::make_unique<devhub::ServerSocket>(std::move(options), scheduler_, *this, transport);
    directory_.AddSocket(*socket);
    return socket;
  }

  void OnClosed(devhub::ServerSocket& socket) override { directory_.RemoveSocket(socket); }

  void OnHttp(devhub::HttpRequest /*request*/, devhub::HttpReply reply) override { reply({404}); }

  void OnJoined(devhub::ServerSocket& socket, const std::string& topic,
                const base::PluginTopic& plugin) override {
    directory_.Join(topic, plugin, socket, absl::Now());
  }

  void OnLeft(devhub::ServerSocket& socket, const std::string& topic) override {
    directory_.Leave(topic, socket);
    registered_.erase(&socket);
    hub_.registered_ = !registered_.empty();
  }

  devhub::ChannelOutcome OnEvent(devhub::ServerSocket& socket,
                                 const hub::PhoenixFrame& frame) override {
    if (frame.event == "register_plugin") {
      // Later: calls come after the reply.
      scheduler_.Post([this, socket = &socket] { OnRegistered(*socket); });
      return devhub::ChannelOutcome::Ok(R"({"success":true})");
    }
    if (!devhub::IsAnswerEvent(frame.event)) return devhub::ChannelOutcome::Crash();
    hub_.book_.OnAnswer(frame.event, RequestId(frame), frame.payload, scheduler_.Now());
    return devhub::ChannelOutcome::NoReply();
  }

  void OnLost(devhub::ServerSocket& /*socket*/, const hub::PhoenixFrame& frame) override {
    if (devhub::IsAnswerEvent(frame.event)) hub_.book_.OnAnswerDropped(RequestId(frame));
  }

 private:
  static std::string RequestId(const hub::PhoenixFrame& answer) {
    return base::StringMember(answer.payload, "request_id").value_or("");
  }

  void Die() {
    const std::vector<devhub::ServerSocket*> sockets(directory_.sockets().begin(),
                                                     directory_.sockets().end());
    for (devhub::ServerSocket* socket : sockets) socket->Die();
    server_.Shutdown();
    server_.AbortAll();
    scheduler_.Cancel(tick_timer_);
    work_.reset();  // the thread ends with the last connection
  }

  void OnRegistered(devhub::ServerSocket& socket) {
    const devhub::JoinedTopic* joined = directory_.Find(kTopic);
    // It may have gone meanwhile; then it is only compared here, never used.
    if (joined == nullptr || joined->sockets.back() != &socket) return;
    registered_.insert(&socket);
    hub_.registered_ = true;
    hub_.book_.OnLineRestored(scheduler_.Now());
    if (!hub_.options_.repeat_pending) return;
    for (const auto& [event, payload] : hub_.book_.Repeat(scheduler_.Now())) {
      socket.Push(kTopic, event, payload);
    }
  }

  void Tick() {
    tick_timer_ = scheduler_.After(kTick, [this] { Tick(); });
    if (!hub_.traffic_on_) return hub_.traffic_.Pause();
    const std::size_t due = hub_.traffic_.Due(scheduler_.Now());
    if (registered_.empty()) return hub_.book_.OnPostponed(due);
    for (std::size_t i = 0; i < due; ++i) MakeCall(hub_.traffic_.Next());
  }

  // A broadcast, as the hub's calls are.
  void MakeCall(CallPlan plan) {
    const std::string event = plan.event;
    const std::string payload = hub_.book_.Open(std::move(plan), scheduler_.Now());
    const std::string frame =
        hub::EncodePhoenixFrame({std::nullopt, std::nullopt, kTopic, event, payload});
    const devhub::JoinedTopic* joined = directory_.Find(kTopic);
    const std::vector<devhub::ServerSocket*> sockets = joined->sockets;
    for (devhub::ServerSocket* socket : sockets) socket->SendEncoded(frame);
  }

  ChaosHub& hub_;
  asio::io_context io_{1};
  base::AsioScheduler scheduler_;
  devhub::TopicDirectory directory_;
  std::unordered_set<devhub::ServerSocket*> registered_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  base::Scheduler::TimerId tick_timer_ = base::Scheduler::kNoTimer;
  devhub::WebServer server_;
  std::thread thread_;
};

ChaosHub::ChaosHub(CallBook& book, Traffic& traffic, Options options)
    : book_(book), traffic_(traffic), options_(options) {}

ChaosHub::~ChaosHub() { Kill(); }

absl::Status ChaosHub::Start() {
  auto life = std::make_unique<Life>(*this);
  const absl::StatusOr<std::uint16_t> port = life->Start(port_);
  if (!port.ok()) return port.status();
  port_ = *port;
  life_ = std::move(life);
  return absl::OkStatus();
}

void ChaosHub::Kill() { life_.reset(); }

bool ChaosHub::CrashChannel() {
  return life_ != nullptr && life_->EndChannel(&devhub::ServerSocket::CrashChannel);
}

bool ChaosHub::CloseChannel() {
  return life_ != nullptr && life_->EndChannel(&devhub::ServerSocket::CloseChannel);
}

}  // namespace atomemo::chaos
