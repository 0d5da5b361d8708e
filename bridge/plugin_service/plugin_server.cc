#include "bridge/plugin_service/plugin_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>
#include <grpcpp/support/method_handler.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "atomemo/admin/v1/admin_service.grpc.pb.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "bridge/base/log.h"
#include "bridge/base/small_file.h"
#include "bridge/plugin_service/connections.h"
#include "bridge/plugin_service/method_table.h"
#include "bridge/plugin_service/peer_table.h"
#include "bridge/plugin_service/rpc_queue.h"
#include "bridge/plugin_service/service_context.h"
#include "bridge/plugin_service/unix_listener.h"

namespace atomemo::plugin_service {
namespace {

namespace pb = ::atomemo::plugin::v1;

// gRPC ends the whole stream on a message larger than its own limit. Ours comes first and fails one
// call; this is the room between the two.
constexpr std::size_t kHardLimitFactor = 4;
// RPCs at once on one connection.
constexpr int kMaxRpcsPerConnection = 1000;
// A client may ping as often as it likes, calls or not: gRPC bounds what a flood of pings takes.
constexpr int kAnyNumber = 0;
// For the ends of RPCs that were cut off to be sent.
constexpr absl::Duration kLastWait = absl::Seconds(1);

// PluginService and AdminService as reflection sees them. Every method is served by the generic
// service of RpcQueue.
template <typename Base>
using Generic1 = pb::PluginService::WithGenericMethod_OpenSession<
    pb::PluginService::WithGenericMethod_RegisterCredential<
        pb::PluginService::WithGenericMethod_RegisterTool<
            pb::PluginService::WithGenericMethod_RegisterModel<
                pb::PluginService::WithGenericMethod_Publish<
                    pb::PluginService::WithGenericMethod_DrainSession<Base>>>>>>;
template <typename Base>
using Generic2 = pb::PluginService::WithGenericMethod_Authenticate<
    pb::PluginService::WithGenericMethod_AuthorizeOAuth2<
        pb::PluginService::WithGenericMethod_Invoke<
            pb::PluginService::WithGenericMethod_ListResources<
                pb::PluginService::WithGenericMethod_MapResource<Base>>>>>;
template <typename Base>
using Generic3 =
    pb::PluginService::WithGenericMethod_CallHub<pb::PluginService::WithGenericMethod_DownloadFile<
        pb::PluginService::WithGenericMethod_UploadFile<
            pb::PluginService::WithGenericMethod_Serve<Base>>>>;

// gRPC lists a service by its first method that is not generic, so there is one, without a name.
template <typename Service>
class Listed : public Service {
 public:
  // `no_method`: "/" and the service's full name and "/". A literal.
  explicit Listed(const char* no_method) {
    this->AddMethod(new grpc::internal::RpcServiceMethod(  // gRPC's from here on
        no_method, grpc::internal::RpcMethod::NORMAL_RPC,
        new grpc::internal::UnknownMethodHandler("no such method")));
  }
};

using DeclaredService = Listed<Generic1<Generic2<Generic3<pb::PluginService::Service>>>>;
using DeclaredAdmin =
    Listed<admin::v1::AdminService::WithGenericMethod_GetStatus<admin::v1::AdminService::Service>>;

constexpr int kMaxInt = std::numeric_limits<int>::max();

int ClampToInt(std::size_t value) {
  return static_cast<int>(std::min<std::size_t>(value, static_cast<std::size_t>(kMaxInt)));
}

// Endless becomes kMaxInt, which means the same to gRPC.
int ClampToMilliseconds(absl::Duration duration) {
  return static_cast<int>(std::min<std::int64_t>(absl::ToInt64Milliseconds(duration), kMaxInt));
}

RpcOutbox::Limits LimitsOf(const PluginServerOptions& options) {
  return {options.max_stream_messages, options.max_stream_bytes, options.max_message_bytes};
}

void Configure(const PluginServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(ClampToInt(options.max_message_bytes * kHardLimitFactor));
  builder.SetMaxSendMessageSize(-1);  // RpcOutbox checks it
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             ClampToMilliseconds(options.keepalive_time));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             ClampToMilliseconds(options.keepalive_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // However long a plugin has had nothing to do.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, kAnyNumber);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kAnyNumber);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxRpcsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Reflection is a synchronous service: one thread is enough for it.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TcpCredentials(
    const PluginServerOptions& options) {
  if (options.tls_cert_file.empty() && options.tls_key_file.empty()) {
    return grpc::InsecureServerCredentials();
  }
  const absl::StatusOr<std::string> cert = base::ReadSmallFile(options.tls_cert_file);
  const absl::StatusOr<std::string> key = base::ReadSmallFile(options.tls_key_file);
  if (!cert.ok() || !key.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("TLS needs both a certificate and a key that can be read: ",
                     (cert.ok() ? key : cert).status().message()));
  }
  grpc::SslServerCredentialsOptions ssl;
  ssl.pem_key_cert_pairs.push_back({*key, *cert});
  return grpc::SslServerCredentials(ssl);
}

}  // namespace

class PluginServer::Impl {
 public:
  Impl(PluginServerOptions options, router::PluginPort& port, const router::StatusPort& status,
       base::Scheduler& io)
      : context_(std::make_shared<ServiceContext>(std::move(options), port, status, io)),
        methods_(MakeMethodTable(context_)),
        queue_(
            LimitsOf(context_->options), [this](const RpcStart& start) { return Serve(start); },
            [this](const std::string& peer) { return peers_.Find(peer); },
            [context = context_](std::function<void()> work) {
              context->io.RunAside(std::move(work), nullptr);
            }) {}

  ~Impl() { Shutdown(absl::ZeroDuration()); }

  absl::Status Start() {
    const PluginServerOptions& options = context_->options;
    if (options.socket.path.empty() && options.tcp_address.empty()) {
      return absl::InvalidArgumentError("neither a socket's path nor a TCP address to listen on");
    }
    absl::Status status = BuildServer();
    if (!status.ok()) return status;
    if (!options.socket.path.empty()) status = StartListener();
    if (!status.ok()) return status;
    base::LogInfo("listening for plugins", {{"socket", options.socket.path}, {"tcp", tcp_port_}});
    return absl::OkStatus();
  }

  int tcp_port() const { return tcp_port_; }

  void Shutdown(absl::Duration timeout) {
    if (std::exchange(shut_down_, true)) return;
    if (listener_ != nullptr) listener_->Stop();
    if (server_ != nullptr) {
      // gRPC ends calls that meet its own shutdown as CANCELLED, which tells clients that they
      // wanted it so. So all end, and new ones are refused, before that; and then there is no
      // connection left on which one could still come: that looks like UNAVAILABLE, too.
      queue_.Close(absl::UnavailableError("the bridge is shutting down"));
      if (!queue_.WaitIdle(timeout)) {
        queue_.AbortAll();
        queue_.WaitIdle(kLastWait);
      }
      EndConnections(context_->options.socket.path, tcp_port_);
      server_->Shutdown(absl::ToChronoTime(absl::Now()));
    }
    // The server has no RPC left: whoever waits for one in a pool has been told.
    queue_.Stop();
    context_->definitions.Stop();
    context_->transfers.Stop();
    server_.reset();
  }

 private:
  std::unique_ptr<RpcHandler> Serve(const RpcStart& start) {
    const auto method = methods_.find(start.method);
    return method == methods_.end() ? nullptr : method->second(start);
  }

  absl::Status BuildServer() {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    Configure(context_->options, builder);
    if (!context_->options.tcp_address.empty()) {
      auto credentials = TcpCredentials(context_->options);
      if (!credentials.ok()) return credentials.status();
      builder.AddListeningPort(context_->options.tcp_address, *credentials, &tcp_port_);
    }
    builder.RegisterService(&declared_);
    builder.RegisterService(&declared_admin_);
    queue_.Register(builder);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", context_->options.tcp_address,
                       ": the address is in use or not ours, or the certificate is not valid"));
    }
    queue_.Start();
    return absl::OkStatus();
  }

  absl::Status StartListener() {
    listener_ = std::make_unique<UnixListener>(
        context_->options.socket, context_->options.socket_check_interval,
        [this](int fd, PeerIdentity peer) {
          peers_.Remember(fd, peer);  // first: a call may come at once
          grpc::AddInsecureChannelFromFd(server_.get(), fd);
        });
    return listener_->Start();
  }

  const ContextPtr context_;
  const MethodTable methods_;
  PeerTable peers_;
  DeclaredService declared_{"/atomemo.plugin.v1.PluginService/"};
  DeclaredAdmin declared_admin_{"/atomemo.admin.v1.AdminService/"};
  RpcQueue queue_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<UnixListener> listener_;
  int tcp_port_ = 0;
  bool shut_down_ = false;
};

PluginServer::PluginServer(PluginServerOptions options, router::PluginPort& port,
                           const router::StatusPort& status, base::Scheduler& io)
    : impl_(std::make_unique<Impl>(std::move(options), port, status, io)) {}

PluginServer::~PluginServer() = default;

absl::Status PluginServer::Start() { return impl_->Start(); }

int PluginServer::tcp_port() const { return impl_->tcp_port(); }

void PluginServer::Shutdown(absl::Duration timeout) { impl_->Shutdown(timeout); }

}  // namespace atomemo::plugin_service
