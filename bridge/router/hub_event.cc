#include "bridge/router/hub_event.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/base/invariant.h"
#include "bridge/payload/answers.h"
#include "bridge/router/options.h"

namespace atomemo::router {
namespace {

using definition::ToolFacts;
using Shape = PayloadMember::Shape;

template <typename Result>
absl::StatusOr<std::string> Answer(google::protobuf::Message& result) {
  return payload::AnswerJson(std::move(static_cast<Result&>(result)));
}
template <pb::OAuth2Step::StepCase kStep>
absl::StatusOr<std::string> AnswerOAuth2(google::protobuf::Message& result) {
  return payload::AnswerJson(static_cast<const pb::OAuth2Result&>(result), kStep);
}

template <typename Call, typename Result, typename StreamCall, typename StreamReply>
HubEvent Row(absl::string_view name, CallKind kind, absl::string_view rpc,
             std::vector<PayloadMember> members, AnswerJsonFunction answer_json,
             int step_field = 0) {
  HubEvent event;
  event.name = name;
  event.kind = kind;
  event.rpc = rpc;
  event.call = &Call::default_instance();
  event.result = &Result::default_instance();
  event.stream_call = &StreamCall::default_instance();
  event.stream_reply = &StreamReply::default_instance();
  event.members = std::move(members);
  event.answer_json = answer_json;
  event.step_field = step_field;
  const auto* const type = Call::descriptor();
  if (const auto* field = type->FindFieldByName("typed_values")) {
    event.typed_values_field = field->number();
  }
  const auto* const step = step_field == 0 ? nullptr : type->FindFieldByNumber(step_field);
  for (PayloadMember& member : event.members) {
    const auto* field = type->FindFieldByName(std::string(member.name));
    member.is_of_step = field == nullptr;
    if (field == nullptr && step != nullptr) {
      field = step->message_type()->FindFieldByName(std::string(member.name));
    }
    if (ATOMEMO_INVARIANT(field != nullptr)) member.field = field->number();
  }
  return event;
}

HubEvent OAuth2Row(absl::string_view name, int step_field, std::vector<PayloadMember> members,
                   AnswerJsonFunction answer_json) {
  members.insert(members.begin(), {"credential_name", Shape::kTarget});
  HubEvent event =
      Row<pb::OAuth2Step, pb::OAuth2Result, pb::AuthorizeOAuth2Call, pb::AuthorizeOAuth2Reply>(
          name, CallKind::kAuthorizeOAuth2, "AuthorizeOAuth2", std::move(members), answer_json,
          step_field);
  event.timeout = &Timeouts::oauth2;
  event.goes_ahead = true;
  event.is_for_credential = true;
  event.has_flat_errors = true;
  return event;
}

std::vector<HubEvent> MakeTable() {
  auto authenticate =
      Row<pb::Authentication, pb::AuthenticateResult, pb::AuthenticateCall, pb::AuthenticateReply>(
          "credential_auth_spec", CallKind::kAuthenticate, "Authenticate",
          {{"credential_name", Shape::kTarget},
           {"credential", Shape::kObject},
           {"extra", Shape::kOptionalObject}},
          Answer<pb::AuthenticateResult>);
  authenticate.timeout = &Timeouts::authenticate;
  authenticate.goes_ahead = true;
  authenticate.is_for_credential = true;
  authenticate.has_flat_errors = true;

  auto build_authorize_url = OAuth2Row(
      "oauth2_build_authorize_url", pb::OAuth2Step::kBuildAuthorizeUrlFieldNumber,
      {{"credential", Shape::kObject}, {"redirect_uri", Shape::kText}, {"state", Shape::kText}},
      AnswerOAuth2<pb::OAuth2Step::kBuildAuthorizeUrl>);
  build_authorize_url.telling_field = pb::OAuth2Result::kUrlFieldNumber;
  auto get_token = OAuth2Row("oauth2_get_token", pb::OAuth2Step::kGetTokenFieldNumber,
                             {{"credential", Shape::kOptionalObject},
                              // The grant client_credentials has none.
                              {"code", Shape::kOptionalText},
                              {"redirect_uri", Shape::kText}},
                             AnswerOAuth2<pb::OAuth2Step::kGetToken>);
  auto refresh_token =
      OAuth2Row("oauth2_refresh_token", pb::OAuth2Step::kRefreshTokenFieldNumber,
                {{"credential", Shape::kObject}}, AnswerOAuth2<pb::OAuth2Step::kRefreshToken>);

  auto invoke = Row<pb::Invocation, pb::InvokeResult, pb::InvokeCall, pb::InvokeReply>(
      "invoke_tool", CallKind::kInvoke, "Invoke",
      {{"tool_name", Shape::kTarget},
       {"parameters", Shape::kObject},
       {"credentials", Shape::kCredentials},
       {"plugin_identifier", Shape::kOptionalText}},
      Answer<pb::InvokeResult>);
  invoke.timeout = &Timeouts::invoke;
  invoke.obeys_tool_policy = true;

  auto list = Row<pb::ResourceQuery, pb::ListResourcesResult, pb::ListResourcesCall,
                  pb::ListResourcesReply>("locator_list", CallKind::kListResources, "ListResources",
                                          {{"tool_name", Shape::kTarget},
                                           {"method", Shape::kMethod},
                                           {"filter", Shape::kOptionalText},
                                           {"pagination_token", Shape::kOptionalText},
                                           {"parameters", Shape::kObject},
                                           {"credentials", Shape::kCredentials}},
                                          Answer<pb::ListResourcesResult>);
  list.timeout = &Timeouts::list_resources;
  list.methods = &ToolFacts::locator_methods;
  list.method_word = "search_list_method";

  auto map =
      Row<pb::MappingQuery, pb::MapResourceResult, pb::MapResourceCall, pb::MapResourceReply>(
          "resource_mapping", CallKind::kMapResource, "MapResource",
          {{"tool_name", Shape::kTarget},
           {"method", Shape::kMethod},
           {"parameters", Shape::kObject},
           {"credentials", Shape::kCredentials}},
          Answer<pb::MapResourceResult>);
  map.timeout = &Timeouts::map_resource;
  map.methods = &ToolFacts::mapping_methods;
  map.method_word = "mapping_method";

  return {authenticate, build_authorize_url, get_token, refresh_token, invoke, list, map};
}

}  // namespace

const std::vector<HubEvent>& HubEvents() {
  static const auto& table = *new std::vector<HubEvent>(MakeTable());
  return table;
}

const HubEvent* FindHubEvent(absl::string_view name) {
  const auto event = absl::c_find_if(
      HubEvents(), [name](const HubEvent& candidate) { return candidate.name == name; });
  return event == HubEvents().end() ? nullptr : &*event;
}

const HubEvent& EventOf(CallKind kind) {
  return *absl::c_find_if(HubEvents(),
                          [kind](const HubEvent& event) { return event.kind == kind; });
}

const HubEvent* EventOfResult(CallKind kind, absl::string_view told,
                              const google::protobuf::Message* result) {
  const HubEvent* found = nullptr;
  for (const HubEvent& event : HubEvents()) {
    if (event.kind != kind) continue;
    if (event.name == told) return &event;
    if (event.step_field == 0) found = &event;  // the RPC's only one
    if (event.telling_field == 0 || result == nullptr || !told.empty()) continue;
    const auto* const field = result->GetDescriptor()->FindFieldByNumber(event.telling_field);
    if (result->GetReflection()->HasField(*result, field)) return &event;
  }
  return found;
}

}  // namespace atomemo::router
