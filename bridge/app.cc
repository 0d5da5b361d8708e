#include "bridge/app.h"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/asio_scheduler.h"
#include "bridge/base/log.h"
#include "bridge/base/redact.h"
#include "bridge/journal/call_journal_file.h"
#include "bridge/journal/journal_status.h"
#include "bridge/plugin_service/plugin_server.h"
#include "bridge/router/router.h"

namespace atomemo {
namespace {

// For the parts that have bounds of their own, which are shorter.
constexpr absl::Duration kStopSlack = absl::Seconds(5);
constexpr absl::Duration kServerShutdown = absl::Seconds(2);

journal::JournalOptions JournalOptionsOf(const AppOptions& options) {
  journal::JournalOptions journal;
  journal.sync = options.journal_sync;
  return journal;
}

}  // namespace

class App::Impl {
 public:
  explicit Impl(AppOptions options)
      : options_(std::move(options)),
        scheduler_(io_),
        journal_(absl::Now, JournalOptionsOf(options_)) {}

  ~Impl() { StopThreads(); }

  absl::Status Start() {
    absl::StatusOr<std::unique_ptr<hub::WebsocketppClient>> websockets =
        hub::WebsocketppClient::Create(io_, options_.websocket);
    if (!websockets.ok()) return websockets.status();
    websockets_ = *std::move(websockets);
    hub_ = std::make_unique<hub::HubClient>(scheduler_, websockets_->Factory(), options_.hub);
    router_ = std::make_unique<router::Router>(*hub_, scheduler_, options_.router, &journal_);
    hub_->set_listener(*router_);
    status_ = std::make_unique<journal::StatusWithJournal>(*router_, journal_);
    server_ = std::make_unique<plugin_service::PluginServer>(options_.plugin_server, *router_,
                                                             *status_, scheduler_);
    // What plugins send waits for the io thread, so nothing overtakes the recovery. The journal
    // stands beside the socket, whose folder the server makes.
    if (absl::Status started = server_->Start(); !started.ok()) return started;
    if (!options_.journal_path.empty()) {
      absl::StatusOr<std::vector<router::JournaledCall>> left =
          journal_.Open(options_.journal_path);
      if (!left.ok()) return left.status();
      router_->Recover(*std::move(left));
    }
    // Not first when a plugin publishes: what is wrong is to be seen at the start.
    hub_->Connect(options_.router.default_mode);
    io_thread_ = std::thread([this] { RunIo(); });
    return absl::OkStatus();
  }

  absl::Status Stop() {
    if (!io_thread_.joinable()) return absl::OkStatus();
    base::LogInfo("draining", {{"timeout", absl::FormatDuration(options_.drain_timeout)}});
    std::promise<std::size_t> undelivered;
    scheduler_.Post([&] {
      router_->Drain(options_.drain_timeout,
                     [&](std::size_t count) { undelivered.set_value(count); });
    });
    const std::size_t lost = undelivered.get_future().get();
    server_->Shutdown(kServerShutdown);

    auto left = std::make_shared<std::promise<void>>();
    std::future<void> hub_left = left->get_future();
    scheduler_.Post([this, left] { hub_->Shutdown([left] { left->set_value(); }); });
    hub_left.wait_for(absl::ToChronoSeconds(options_.hub.shutdown_timeout + kStopSlack));
    StopThreads();
    if (lost > 0) {
      return absl::DataLossError(
          absl::StrCat(lost, " answer(s) could not be delivered to the hub in time"));
    }
    return absl::OkStatus();
  }

 private:
  void RunIo() {
    // Handlers do not throw; should one all the same, the others must go on.
    while (true) {
      try {
        if (options_.run_io != nullptr) {
          options_.run_io(io_);
        } else {
          io_.run();
        }
        return;
      } catch (const std::exception& error) {
        base::LogError("a handler failed", {{"error", base::RedactText(error.what())}});
      }
    }
  }

  // The server goes first because it posts to the io thread, and all that lives on the io thread
  // goes after that has ended.
  void StopThreads() {
    server_.reset();
    work_.reset();
    io_.stop();
    if (io_thread_.joinable()) io_thread_.join();
    router_.reset();
    hub_.reset();
    websockets_.reset();
  }

  const AppOptions options_;
  asio::io_context io_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{
      io_.get_executor()};
  base::AsioScheduler scheduler_;
  journal::CallJournalFile journal_;
  std::unique_ptr<hub::WebsocketppClient> websockets_;
  std::unique_ptr<hub::HubClient> hub_;
  std::unique_ptr<router::Router> router_;
  std::unique_ptr<journal::StatusWithJournal> status_;
  std::unique_ptr<plugin_service::PluginServer> server_;
  std::thread io_thread_;
};

App::App(AppOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

App::~App() = default;

absl::Status App::Start() { return impl_->Start(); }

absl::Status App::Stop() { return impl_->Stop(); }

}  // namespace atomemo
