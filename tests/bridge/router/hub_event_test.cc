// The table of the hub's events: what the code relies on, for every row.
#include "bridge/router/hub_event.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::router {
namespace {

namespace pb = ::atomemo::plugin::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// The field of `container` that is of this type; null unless there is exactly one.
const FieldDescriptor* FieldOf(const Descriptor* container, const Descriptor* type) {
  const FieldDescriptor* found = nullptr;
  for (int i = 0; i < container->field_count(); ++i) {
    if (container->field(i)->message_type() != type) continue;
    if (found != nullptr) return nullptr;
    found = container->field(i);
  }
  return found;
}

TEST(HubEventTest, EachIsFoundByItsName) {
  std::set<absl::string_view> names;
  for (const HubEvent& event : HubEvents()) {
    EXPECT_EQ(FindHubEvent(event.name), &event);
    EXPECT_TRUE(names.insert(event.name).second) << event.name;
  }
  EXPECT_EQ(FindHubEvent("dance"), nullptr);
}

TEST(HubEventTest, EachRpcHasARow) {
  std::set<CallKind> kinds;
  for (const HubEvent& event : HubEvents()) kinds.insert(event.kind);
  EXPECT_EQ(kinds.size(), kCallKindCount);
  for (const HubEvent& event : HubEvents()) {
    const auto* const rpc = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
        "atomemo.plugin.v1.PluginService." + std::string(event.rpc));
    ASSERT_NE(rpc, nullptr) << event.name;
    EXPECT_EQ(rpc->output_type(), event.stream_call->GetDescriptor());
    EXPECT_EQ(rpc->input_type(), event.stream_reply->GetDescriptor());
    EXPECT_EQ(EventOf(event.kind).rpc, event.rpc);
  }
}

TEST(HubEventTest, CallsAndResultsHaveTheirPlaceInEveryStream) {
  for (const HubEvent& event : HubEvents()) {
    const Descriptor* const call = event.call->GetDescriptor();
    const Descriptor* const result = event.result->GetDescriptor();
    EXPECT_NE(FieldOf(event.stream_call->GetDescriptor(), call), nullptr) << event.name;
    EXPECT_NE(FieldOf(event.stream_reply->GetDescriptor(), result), nullptr) << event.name;
    EXPECT_NE(FieldOf(pb::BridgeMessage::descriptor(), call), nullptr) << event.name;
    EXPECT_NE(FieldOf(pb::PluginMessage::descriptor(), result), nullptr) << event.name;
    for (const Descriptor* other :
         {pb::Cancel::descriptor(), pb::Rejected::descriptor(), pb::Drained::descriptor()}) {
      EXPECT_NE(FieldOf(event.stream_call->GetDescriptor(), other), nullptr) << event.name;
    }
  }
}

TEST(HubEventTest, WhatIsWrittenWithoutTheMessagesOwnCodeHasTheNumbersItIsWrittenWith) {
  for (const HubEvent& event : HubEvents()) {
    const FieldDescriptor* const info = event.call->GetDescriptor()->FindFieldByName("info");
    ASSERT_NE(info, nullptr) << event.name;
    EXPECT_EQ(info->number(), pb::Invocation::kInfoFieldNumber) << event.name;
    EXPECT_EQ(info->message_type(), pb::CallInfo::descriptor()) << event.name;
    // FindRequestId reads it without the rest.
    const FieldDescriptor* const id = event.result->GetDescriptor()->FindFieldByName("request_id");
    ASSERT_NE(id, nullptr) << event.name;
    EXPECT_EQ(id->number(), 1) << event.name;
  }
}

TEST(HubEventTest, AMemberHasAFieldOfItsShape) {
  using Shape = PayloadMember::Shape;
  for (const HubEvent& event : HubEvents()) {
    int targets = 0;
    for (const PayloadMember& member : event.members) {
      targets += member.shape == Shape::kTarget ? 1 : 0;
      const Descriptor* type = event.call->GetDescriptor();
      if (member.is_of_step) type = type->FindFieldByNumber(event.step_field)->message_type();
      const FieldDescriptor* const field = type->FindFieldByNumber(member.field);
      ASSERT_NE(field, nullptr) << event.name << "." << member.name;
      EXPECT_EQ(field->name(), member.name);
      const bool is_object =
          member.shape == Shape::kObject || member.shape == Shape::kOptionalObject;
      if (is_object) {
        EXPECT_EQ(field->message_type(), pb::JsonObject::descriptor()) << member.name;
      }
      EXPECT_EQ(field->is_map(), member.shape == Shape::kCredentials) << member.name;
      const bool is_text = !is_object && member.shape != Shape::kCredentials;
      EXPECT_EQ(field->type() == FieldDescriptor::TYPE_STRING, is_text) << member.name;
    }
    EXPECT_EQ(targets, 1) << event.name;
    EXPECT_NE(event.timeout, nullptr) << event.name;
    EXPECT_NE(event.answer_json, nullptr) << event.name;
    EXPECT_EQ(event.methods == nullptr, event.method_word.empty()) << event.name;
  }
}

TEST(EventOfResultTest, AnRpcWithOneEventTellsIt) {
  const pb::InvokeResult result;
  EXPECT_EQ(EventOfResult(CallKind::kInvoke, "", &result), FindHubEvent("invoke_tool"));
  EXPECT_EQ(EventOfResult(CallKind::kInvoke, "", nullptr), FindHubEvent("invoke_tool"));
}

TEST(EventOfResultTest, OfSeveralThePluginMustSayWhichUnlessTheAnswerDoes) {
  pb::OAuth2Result result;
  result.mutable_tokens();
  EXPECT_EQ(EventOfResult(CallKind::kAuthorizeOAuth2, "", &result), nullptr);
  EXPECT_EQ(EventOfResult(CallKind::kAuthorizeOAuth2, "dance", &result), nullptr);
  EXPECT_EQ(EventOfResult(CallKind::kAuthorizeOAuth2, "oauth2_get_token", &result),
            FindHubEvent("oauth2_get_token"));
  result.set_url("https://example.com/");
  EXPECT_EQ(EventOfResult(CallKind::kAuthorizeOAuth2, "", &result),
            FindHubEvent("oauth2_build_authorize_url"));
}

}  // namespace
}  // namespace atomemo::router
