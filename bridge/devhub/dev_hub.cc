#include "bridge/devhub/dev_hub.h"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/asio_scheduler.h"
#include "bridge/base/log.h"
#include "bridge/base/random.h"
#include "bridge/devhub/file_endpoint.h"
#include "bridge/devhub/file_store.h"
#include "bridge/devhub/host_policy.h"
#include "bridge/devhub/http_api.h"
#include "bridge/devhub/hub_call_service.h"
#include "bridge/devhub/plugin_channels.h"
#include "bridge/devhub/query.h"
#include "bridge/devhub/topic_directory.h"
#include "bridge/devhub/url_signer.h"
#include "bridge/devhub/web_server.h"

namespace atomemo::devhub {
namespace {

constexpr absl::string_view kDebugPath = "/debug_socket/websocket";
constexpr absl::string_view kReleasePath = "/release_socket/websocket";
constexpr std::chrono::seconds kCloseTime{1};

std::vector<std::string> AllowedHosts(const DevHubOptions& options) {
  std::vector<std::string> hosts = options.allowed_hosts;
  hosts.push_back(options.host);
  return hosts;
}

// The folder for files, and whether it goes with the hub.
struct FilesFolder {
  explicit FilesFolder(const std::string& configured) : temporary(configured.empty()) {
    std::error_code ignored;
    path = temporary ? std::filesystem::temp_directory_path(ignored) /
                           absl::StrCat("atomemo-hub-", base::RandomId())
                     : std::filesystem::path(configured);
  }
  ~FilesFolder() {
    std::error_code ignored;
    if (temporary) std::filesystem::remove_all(path, ignored);
  }
  FilesFolder(const FilesFolder&) = delete;
  FilesFolder& operator=(const FilesFolder&) = delete;

  const bool temporary;
  std::filesystem::path path;
};

}  // namespace

// The running hub. Everything below the thread belongs to it; members are declared in the order in
// which they lean on each other.
class DevHub::Impl : public WebHandler {
 public:
  explicit Impl(const DevHubOptions& options)
      : options_(options),
        folder_(options.files_folder),
        scheduler_(io_),
        host_policy_(AllowedHosts(options)),
        signer_(base::RandomId(), options.url_lifetime),
        hub_calls_(signer_),
        broker_(scheduler_, options.call_limits),
        channels_(directory_, broker_, hub_calls_, absl::Now),
        api_(directory_, broker_),
        server_(io_,
                {options.max_frame_bytes, options.max_file_bytes, options.max_unfinished_bytes},
                *this) {}

  absl::StatusOr<std::uint16_t> Start() {
    absl::StatusOr<FileStore> store = FileStore::Open(folder_.path, options_.max_file_bytes);
    if (!store.ok()) return store.status();
    store_.emplace(*std::move(store));
    files_.emplace(*store_, signer_);
    absl::StatusOr<std::uint16_t> port = server_.Listen(options_.host, options_.port);
    if (!port.ok()) return port;
    work_.emplace(io_.get_executor());
    std::packaged_task<void()> loop([this] { io_.run(); });
    loop_ended_ = loop.get_future();
    thread_ = std::thread(std::move(loop));
    return port;
  }

  void Stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      server_.Shutdown();
      broker_.AbortAll();
      work_.reset();  // the loop ends with the last connection
    });
    if (loop_ended_.wait_for(kCloseTime) != std::future_status::ready) {
      asio::post(io_, [this] { server_.AbortAll(); });
      if (loop_ended_.wait_for(kCloseTime) != std::future_status::ready) io_.stop();
    }
    thread_.join();
  }

  int Admit(const HttpRequest& request) override {
    if (request.path != kDebugPath && request.path != kReleasePath) return 404;
    if (!host_policy_.AllowsOrigin(request.origin)) {
      base::LogWarning("socket refused", {{"reason", "foreign origin"}});
      return 403;
    }
    Query query = ParseQuery(request.query);
    if (request.path == kDebugPath && !SecretsEqual(query["api_key"], options_.api_key)) {
      base::LogWarning("socket refused", {{"reason", "wrong api_key"}});
      return 403;
    }
    if (query["vsn"] != "2.0.0") {
      base::LogWarning("socket refused", {{"reason", "vsn is not 2.0.0"}});
      return 400;
    }
    return 101;
  }

  std::unique_ptr<ServerSocket> OnOpen(const HttpRequest& request,
                                       SocketTransport& transport) override {
    SocketOptions socket_options;
    socket_options.mode =
        request.path == kDebugPath ? base::HubMode::kDebug : base::HubMode::kRelease;
    socket_options.base_url = absl::StrCat("http://", request.host);
    socket_options.max_channels = options_.max_channels;
    socket_options.channel_lag = options_.channel_lag;
    socket_options.idle_timeout = options_.idle_timeout;
    base::LogInfo("socket opened", {{"mode", base::HubModeName(socket_options.mode)}});
    auto socket =
        std::make_unique<ServerSocket>(std::move(socket_options), scheduler_, channels_, transport);
    directory_.AddSocket(*socket);
    return socket;
  }

  void OnClosed(ServerSocket& socket) override {
    base::LogInfo("socket closed", {{"mode", base::HubModeName(socket.options().mode)}});
    directory_.RemoveSocket(socket);
  }

  void OnHttp(HttpRequest request, HttpReply reply) override {
    if (absl::StartsWith(request.path, "/files/")) {
      return reply(files_->Serve(request, absl::Now()));
    }
    if (!host_policy_.AllowsHost(request.host) || !host_policy_.AllowsOrigin(request.origin)) {
      return reply(ErrorResponse(403, "foreign_host",
                                 "the hub's API answers only under its own host names"));
    }
    api_.Serve(request, reply);
  }

 private:
  const DevHubOptions& options_;
  const FilesFolder folder_;
  asio::io_context io_{1};
  base::AsioScheduler scheduler_;
  const HostPolicy host_policy_;
  const UrlSigner signer_;
  const HubCallService hub_calls_;
  TopicDirectory directory_;
  CallBroker broker_;
  PluginChannels channels_;
  HttpApi api_;
  std::optional<FileStore> store_;
  std::optional<FileEndpoint> files_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  WebServer server_;
  std::thread thread_;
  std::future<void> loop_ended_;
};

DevHub::DevHub(DevHubOptions options) : options_(std::move(options)) {}

DevHub::~DevHub() { Stop(); }

absl::StatusOr<std::uint16_t> DevHub::Start() {
  if (options_.api_key.empty()) {
    return absl::InvalidArgumentError("the hub's api_key must not be empty");
  }
  if (impl_ != nullptr) return absl::FailedPreconditionError("the hub was started before");
  impl_ = std::make_unique<Impl>(options_);
  absl::StatusOr<std::uint16_t> port = impl_->Start();
  if (!port.ok()) impl_.reset();
  return port;
}

void DevHub::Stop() {
  if (impl_ != nullptr) impl_->Stop();
}

}  // namespace atomemo::devhub
