#include "bridge/plugin_service/method_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "bridge/plugin_service/rpcs.h"

namespace atomemo::plugin_service {
namespace {

std::string FullName(absl::string_view method) {
  return absl::StrCat("/", pb::PluginService::service_full_name(), "/", method);
}

constexpr char kGetStatusMethod[] = "/atomemo.admin.v1.AdminService/GetStatus";

using Factory = MethodTable::mapped_type;

// A stream is accepted with its headers at once: some libraries (tonic) give a stream to their user
// only then, and what the bridge sends first may well wait for what that user does next.
Factory Stream(Factory make) {
  return [make = std::move(make)](const RpcStart& start) {
    start.outbox->SendHeaders();
    return make(start);
  };
}

template <typename Request>
using ServeFunction = void (*)(const ContextPtr&, const UnaryCall<Request>&);

template <typename Request>
Factory Unary(const ContextPtr& context, ServeFunction<Request> serve) {
  return [context, serve](const RpcStart& start) -> std::unique_ptr<RpcHandler> {
    return std::make_unique<UnaryRpc<Request>>(
        start, context->options.max_message_bytes,
        [context, serve](const UnaryCall<Request>& call) { serve(context, call); });
  };
}

void AddCallStreams(const ContextPtr& context, MethodTable& table) {
  for (std::size_t i = 0; i < router::kCallKindCount; ++i) {
    const auto kind = static_cast<router::CallKind>(i);
    table[FullName(router::CallKindName(kind))] = Stream(
        [context, kind](const RpcStart& start) { return MakeCallStream(kind, context, start); });
  }
}

void AddHealth(const ContextPtr& context, MethodTable& table) {
  const auto health = [context](const RpcStart& start) { return MakeHealthRpc(context, start); };
  table[kHealthCheckMethod] = health;
  table[kHealthWatchMethod] = Stream(health);
}

}  // namespace

MethodTable MakeMethodTable(const ContextPtr& context) {
  MethodTable table;
  table[FullName("OpenSession")] =
      Stream([context](const RpcStart& start) { return MakeSessionStream(context, start); });
  table[FullName("Serve")] =
      Stream([context](const RpcStart& start) { return MakeServeStream(context, start); });
  table[FullName("UploadFile")] =
      Stream([context](const RpcStart& start) { return MakeUploadFile(context, start); });
  table[FullName("DownloadFile")] = Stream(Unary(context, ServeDownloadFile));
  table[FullName("RegisterCredential")] =
      Unary(context, ServeRegister<pb::RegisterCredentialRequest>);
  table[FullName("RegisterTool")] = Unary(context, ServeRegister<pb::RegisterToolRequest>);
  table[FullName("RegisterModel")] = Unary(context, ServeRegister<pb::RegisterModelRequest>);
  table[FullName("Publish")] = Unary(context, ServePublish);
  table[FullName("DrainSession")] = Unary(context, ServeDrainSession);
  table[FullName("CallHub")] = Unary(context, ServeCallHub);
  table[kGetStatusMethod] = Unary(context, ServeGetStatus);
  AddCallStreams(context, table);
  AddHealth(context, table);
  return table;
}

}  // namespace atomemo::plugin_service
