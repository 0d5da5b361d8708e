#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPCS_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPCS_H_

#include <memory>

#include "atomemo/admin/v1/admin_service.pb.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/plugin_service/rpc_stream.h"
#include "bridge/plugin_service/service_context.h"
#include "bridge/plugin_service/unary_rpc.h"
#include "bridge/router/call.h"

// What serves each RPC, for method_table.cc. All are called on the completion queue's thread; unary
// ones answer later.
namespace atomemo::plugin_service {

namespace pb = ::atomemo::plugin::v1;

// ---- Sessions

// OpenSession: the session lasts as long as the stream, and the router hears of its end exactly
// once (session_stream.cc).
std::unique_ptr<RpcHandler> MakeSessionStream(ContextPtr context, const RpcStart& start);

// Serve: a session, its definition, and its calls of all kinds on one stream. For the router it is
// a session with five call streams, which all end with it (serve_stream.cc).
std::unique_ptr<RpcHandler> MakeServeStream(ContextPtr context, const RpcStart& start);

// What is said of a session beside its stream (session_rpcs.cc).
template <typename Request>  // RegisterCredentialRequest, RegisterToolRequest, RegisterModelRequest
void ServeRegister(const ContextPtr& context, const UnaryCall<Request>& call);
void ServePublish(const ContextPtr& context, const UnaryCall<pb::PublishRequest>& call);
void ServeDrainSession(const ContextPtr& context, const UnaryCall<pb::DrainSessionRequest>& call);
void ServeCallHub(const ContextPtr& context, const UnaryCall<pb::CallHubRequest>& call);

// ---- Calls

// One of the five call streams: hands the plugin's replies to the router, and what the router's
// CallSink is given to the plugin. Whatever happens to the stream, the router hears of its end
// exactly once (call_stream.cc).
std::unique_ptr<RpcHandler> MakeCallStream(router::CallKind kind, ContextPtr context,
                                           const RpcStart& start);

// ---- Files

// Streams a file's bytes to the plugin: those in the reference itself, or those that the hub has
// under its key. Nothing but what the hub points to is ever fetched: a plugin without a network
// must not gain one (file_download.cc).
void ServeDownloadFile(const ContextPtr& context, const UnaryCall<pb::DownloadFileRequest>& call);

// Stores a plugin's bytes with the hub (file_upload.cc).
std::unique_ptr<RpcHandler> MakeUploadFile(ContextPtr context, const RpcStart& start);

// ---- For operators

// AdminService, for the bridge's own user and root: it names every plugin (admin_rpcs.cc).
void ServeGetStatus(const ContextPtr& context, const UnaryCall<admin::v1::GetStatusRequest>& call);

inline constexpr char kHealthCheckMethod[] = "/grpc.health.v1.Health/Check";
inline constexpr char kHealthWatchMethod[] = "/grpc.health.v1.Health/Watch";

// What may be asked for beside "" (readiness of the whole): see admin_service.proto.
inline constexpr char kLivenessService[] = "liveness";
inline constexpr char kPluginHealthPrefix[] = "plugin/";

// The standard health service. Every answer comes from the io thread: a bridge whose event loop
// stands still gives none, whatever its gRPC threads do. A watch is looked at once a second.
//
// gRPC's own service would run on its callback threads, which slow down every other RPC to half
// (health.cc).
std::unique_ptr<RpcHandler> MakeHealthRpc(const ContextPtr& context, const RpcStart& start);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_RPCS_H_
