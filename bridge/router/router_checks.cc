#include "bridge/router/router_checks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bridge/definition/answers.h"
#include "bridge/router/errors.h"

namespace atomemo::router {
namespace {

constexpr absl::string_view kBuildAuthorizeUrl = "oauth2_build_authorize_url";
constexpr absl::string_view kGetToken = "oauth2_get_token";
constexpr absl::string_view kRefreshToken = "oauth2_refresh_token";

pb::OAuth2Step::StepCase StepOf(absl::string_view event) {
  if (event == kBuildAuthorizeUrl) return pb::OAuth2Step::kBuildAuthorizeUrl;
  if (event == kGetToken) return pb::OAuth2Step::kGetToken;
  if (event == kRefreshToken) return pb::OAuth2Step::kRefreshToken;
  return pb::OAuth2Step::STEP_NOT_SET;
}

struct TargetVisitor {
  template <typename Call>
  const std::string& operator()(const Call& call) const {
    return call.tool_name();
  }
  const std::string& operator()(const pb::Authentication& call) const {
    return call.credential_name();
  }
  const std::string& operator()(const pb::OAuth2Step& call) const { return call.credential_name(); }
};

pb::PluginError MethodNotFound(absl::string_view tool, absl::string_view method,
                               absl::string_view key) {
  return BridgeError(
      code::kMethodNotSupported, "MethodNotSupported",
      absl::StrCat("no parameter of the tool \"", tool, "\" has the ", key, " \"", method, "\""));
}

absl::StatusOr<std::string> JsonOf(const std::string& event, const ReplyPayload& reply) {
  return std::visit(
      [&event](const auto& result) -> absl::StatusOr<std::string> {
        using Result = std::decay_t<decltype(result)>;
        if constexpr (std::is_same_v<Result, pb::OAuth2Result>) {
          return definition::AnswerJson(result, StepOf(event));
        } else if constexpr (std::is_same_v<Result, pb::CallFailure>) {
          return absl::InternalError("handled above");
        } else {
          return definition::AnswerJson(result);
        }
      },
      reply);
}

}  // namespace

const std::string& TargetOf(const CallPayload& payload) {
  return std::visit(TargetVisitor{}, payload);
}

std::optional<pb::PluginError> CheckCall(const Plugin& plugin, const HubCall& call) {
  const std::string& target = TargetOf(call.payload);
  if (call.kind() == CallKind::kAuthenticate || call.kind() == CallKind::kAuthorizeOAuth2) {
    if (plugin.credentials().contains(target)) return std::nullopt;
    return BridgeError(
        code::kCredentialNotFound, "CredentialNotFound",
        absl::StrCat("the plugin \"", plugin.name, "\" has no credential \"", target, "\""));
  }
  const auto tool = plugin.tools().find(target);
  if (tool == plugin.tools().end()) {
    return BridgeError(
        code::kToolNotFound, "ToolNotFound",
        absl::StrCat("the plugin \"", plugin.name, "\" has no tool \"", target, "\""));
  }
  if (const auto* query = std::get_if<pb::ResourceQuery>(&call.payload)) {
    if (!tool->second.locator_methods.contains(query->method())) {
      return MethodNotFound(target, query->method(), "search_list_method");
    }
  }
  if (const auto* query = std::get_if<pb::MappingQuery>(&call.payload)) {
    if (!tool->second.mapping_methods.contains(query->method())) {
      return MethodNotFound(target, query->method(), "mapping_method");
    }
  }
  return std::nullopt;
}

std::string EventOfReply(CallKind kind, const ReplyPayload& reply) {
  switch (kind) {
    case CallKind::kAuthenticate:
      return "credential_auth_spec";
    case CallKind::kInvoke:
      return "invoke_tool";
    case CallKind::kListResources:
      return "locator_list";
    case CallKind::kMapResource:
      return "resource_mapping";
    case CallKind::kAuthorizeOAuth2:
      break;
  }
  std::string event;
  if (const auto* result = std::get_if<pb::OAuth2Result>(&reply)) {
    event = result->event();
    if (event.empty() && result->answer_case() == pb::OAuth2Result::kUrl)
      event = std::string(kBuildAuthorizeUrl);
  } else if (const auto* failure = std::get_if<pb::CallFailure>(&reply)) {
    event = failure->event();
  }
  return StepOf(event) == pb::OAuth2Step::STEP_NOT_SET ? "" : event;
}

absl::StatusOr<HubAnswer> AnswerOfReply(std::string event, PluginReply reply) {
  HubAnswer answer;
  answer.request_id = ReplyRequestId(reply.payload);
  if (auto* failure = std::get_if<pb::CallFailure>(&reply.payload)) {
    answer.event = std::move(event);
    answer.outcome = std::move(*failure->mutable_error());
    return answer;
  }
  absl::StatusOr<std::string> data =
      reply.json ? *std::move(reply.json) : JsonOf(event, reply.payload);
  if (!data.ok()) return data.status();
  answer.event = std::move(event);
  answer.outcome = *std::move(data);
  return answer;
}

}  // namespace atomemo::router
