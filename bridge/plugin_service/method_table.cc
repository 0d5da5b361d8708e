#include "bridge/plugin_service/method_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "bridge/plugin_service/admin_rpcs.h"
#include "bridge/plugin_service/call_stream.h"
#include "bridge/plugin_service/file_rpcs.h"
#include "bridge/plugin_service/health.h"
#include "bridge/plugin_service/session_rpcs.h"
#include "bridge/plugin_service/session_stream.h"

namespace atomemo::plugin_service {
namespace {

std::string FullName(absl::string_view method) {
  return absl::StrCat("/", pb::PluginService::service_full_name(), "/", method);
}

constexpr char kGetStatusMethod[] = "/atomemo.admin.v1.AdminService/GetStatus";

template <typename Request>
using ServeFunction = void (*)(const ContextPtr&, const typename UnaryRpc<Request>::CallPtr&);

template <typename Request>
void AddUnary(const ContextPtr& context, std::string method, ServeFunction<Request> serve,
              MethodTable& table) {
  table[std::move(method)] = [context,
                              serve](const RpcStart& start) -> std::unique_ptr<RpcHandler> {
    return std::make_unique<UnaryRpc<Request>>(
        start, context->options.max_message_bytes,
        [context, serve](const typename UnaryRpc<Request>::CallPtr& call) {
          serve(context, call);
        });
  };
}

void AddCallStreams(const ContextPtr& context, MethodTable& table) {
  for (std::size_t i = 0; i < router::kCallKindCount; ++i) {
    const auto kind = static_cast<router::CallKind>(i);
    table[FullName(router::CallKindName(kind))] = [context, kind](const RpcStart& start) {
      return MakeCallStream(kind, context, start);
    };
  }
}

void AddHealth(const ContextPtr& context, MethodTable& table) {
  const auto health = [context](const RpcStart& start) { return MakeHealthRpc(context, start); };
  table[kHealthCheckMethod] = health;
  table[kHealthWatchMethod] = health;
}

}  // namespace

MethodTable MakeMethodTable(const ContextPtr& context) {
  MethodTable table;
  table[FullName("OpenSession")] = [context](const RpcStart& start) {
    return MakeSessionStream(context, start);
  };
  table[FullName("UploadFile")] = [context](const RpcStart& start) {
    return MakeUploadFile(context, start);
  };
  AddUnary<pb::RegisterCredentialRequest>(context, FullName("RegisterCredential"),
                                          ServeRegisterCredential, table);
  AddUnary<pb::RegisterToolRequest>(context, FullName("RegisterTool"), ServeRegisterTool, table);
  AddUnary<pb::RegisterModelRequest>(context, FullName("RegisterModel"), ServeRegisterModel, table);
  AddUnary<pb::PublishRequest>(context, FullName("Publish"), ServePublish, table);
  AddUnary<pb::DrainSessionRequest>(context, FullName("DrainSession"), ServeDrainSession, table);
  AddUnary<pb::CallHubRequest>(context, FullName("CallHub"), ServeCallHub, table);
  AddUnary<pb::DownloadFileRequest>(context, FullName("DownloadFile"), ServeDownloadFile, table);
  AddUnary<admin::v1::GetStatusRequest>(context, kGetStatusMethod, ServeGetStatus, table);
  AddCallStreams(context, table);
  AddHealth(context, table);
  return table;
}

}  // namespace atomemo::plugin_service
