#include "bridge/definition/payload.h"

#include <gtest/gtest.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::definition {
namespace {

std::string Nested(int depth, absl::string_view open, absl::string_view close) {
  std::string text;
  for (int i = 0; i < depth; ++i) absl::StrAppend(&text, open);
  absl::StrAppend(&text, "1");
  for (int i = 0; i < depth; ++i) absl::StrAppend(&text, close);
  return text;
}

std::string TextOfNumber(double number) {
  pb::JsonValue value;
  value.mutable_value()->set_number_value(number);
  return JsonTextOf(value).value_or("refused");
}

TEST(JsonTextOfTest, JsonTextIsReturnedUnchanged) {
  const std::string text = R"( {"id": 9007199254740993, "x": 1.10} )";
  EXPECT_EQ(JsonTextOf(JsonObjectOf(text)).value(), text);
}

TEST(JsonTextOfTest, UnsetPayloadsAreTheEmptyObjectAndNull) {
  EXPECT_EQ(JsonTextOf(pb::JsonObject()).value(), "{}");
  EXPECT_EQ(JsonTextOf(pb::JsonValue()).value(), "null");
}

TEST(JsonTextOfTest, BadJsonTextIsRefusedWithoutRepeatingIt) {
  for (const char* text :
       {"", "{\"secret\":", "[1]", "{} {}", "\xEF\xBB\xBF{}", "{\"a\":\"\xff\"}"}) {
    const auto result = JsonTextOf(JsonObjectOf(text));
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(result.status().message().find("secret"), absl::string_view::npos);
  }
}

TEST(JsonTextOfTest, JsonTextMayNestOneHundredLevels) {
  EXPECT_TRUE(JsonTextOf(JsonValueOf(Nested(100, "[", "]"))).ok());
  EXPECT_FALSE(JsonTextOf(JsonValueOf(Nested(101, "[", "]"))).ok());
}

TEST(JsonTextOfTest, StructsBecomeJson) {
  pb::JsonObject object;
  auto& list = *(*object.mutable_fields()->mutable_fields())["a\"b"].mutable_list_value();
  list.add_values()->set_string_value("line\nü");
  list.add_values()->set_bool_value(true);
  list.add_values()->set_null_value(google::protobuf::NULL_VALUE);
  list.add_values()->mutable_struct_value();
  list.add_values();
  EXPECT_EQ(JsonTextOf(object).value(), R"({"a\"b":["line\nü",true,null,{},null]})");
}

TEST(JsonTextOfTest, IntegersUpToTwoToThe53StayIntegers) {
  EXPECT_EQ(TextOfNumber(0), "0");
  EXPECT_EQ(TextOfNumber(-42), "-42");
  EXPECT_EQ(TextOfNumber(9007199254740992.0), "9007199254740992");
  EXPECT_EQ(TextOfNumber(0.1), "0.1");
  EXPECT_EQ(TextOfNumber(1e300), "1e+300");
}

TEST(JsonTextOfTest, NumbersThatJsonCannotSayAreRefused) {
  EXPECT_EQ(TextOfNumber(std::numeric_limits<double>::quiet_NaN()), "refused");
  EXPECT_EQ(TextOfNumber(std::numeric_limits<double>::infinity()), "refused");
}

TEST(JsonTextOfTest, AStructNestedTooDeepIsRefused) {
  pb::JsonValue value;
  google::protobuf::Value* inner = value.mutable_value();
  for (int i = 0; i < 101; ++i) inner = inner->mutable_list_value()->add_values();
  EXPECT_EQ(JsonTextOf(value).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ConvertEncodingTest, StructSessionsGetEveryPayloadAsStruct) {
  pb::InvokeCall call;
  pb::Invocation& invoke = *call.mutable_invoke();
  *invoke.mutable_info()->mutable_context() = JsonObjectOf(R"({"organization_id":"o1"})");
  *invoke.mutable_parameters() =
      JsonObjectOf(R"({"s":"x","i":7,"d":0.5,"b":false,"n":null,"l":[1,{}]})");
  (*invoke.mutable_credentials())["c1"] = JsonObjectOf(R"({"k":"v"})");
  *invoke.add_typed_values()->mutable_resource_mapper()->mutable_value() = JsonValueOf("\"e\"");

  ASSERT_TRUE(ConvertEncoding(pb::PAYLOAD_ENCODING_STRUCT, call).ok());

  EXPECT_EQ(invoke.info().context().fields().fields().at("organization_id").string_value(), "o1");
  const auto& parameters = invoke.parameters().fields().fields();
  EXPECT_EQ(parameters.at("s").string_value(), "x");
  EXPECT_EQ(parameters.at("i").number_value(), 7);
  EXPECT_EQ(parameters.at("d").number_value(), 0.5);
  EXPECT_TRUE(parameters.at("b").has_bool_value());
  EXPECT_TRUE(parameters.at("n").has_null_value());
  EXPECT_TRUE(parameters.at("l").list_value().values(1).has_struct_value());
  EXPECT_EQ(invoke.credentials().at("c1").fields().fields().at("k").string_value(), "v");
  EXPECT_EQ(invoke.typed_values(0).resource_mapper().value().value().string_value(), "e");
}

TEST(ConvertEncodingTest, JsonSessionsGetTheTextUnchanged) {
  pb::Invocation invoke;
  *invoke.mutable_parameters() = JsonObjectOf(R"({"id":9007199254740993})");
  ASSERT_TRUE(ConvertEncoding(pb::PAYLOAD_ENCODING_JSON, invoke).ok());
  EXPECT_EQ(invoke.parameters().json(), R"({"id":9007199254740993})");
}

TEST(ConvertEncodingTest, UnsetPayloadsStayUnset) {
  pb::Invocation invoke;
  invoke.mutable_parameters();
  ASSERT_TRUE(ConvertEncoding(pb::PAYLOAD_ENCODING_STRUCT, invoke).ok());
  EXPECT_EQ(invoke.parameters().encoding_case(), pb::JsonObject::ENCODING_NOT_SET);
  EXPECT_FALSE(invoke.has_info());
}

TEST(ConvertEncodingTest, TheDeepestStructCanBeReadByProtobuf) {
  for (const auto& [open, close] : {std::pair("[", "]"), std::pair("{\"a\":", "}")}) {
    int depth = 1;
    const auto convert = [&, o = open, c = close](int levels) {
      pb::InvokeCall call;
      *call.mutable_invoke()->add_typed_values()->mutable_resource_mapper()->mutable_value() =
          JsonValueOf(Nested(levels, o, c));
      if (!ConvertEncoding(pb::PAYLOAD_ENCODING_UNSPECIFIED, call).ok()) return false;
      EXPECT_TRUE(pb::InvokeCall().ParseFromString(call.SerializeAsString())) << levels;
      return true;
    };
    while (convert(depth + 1)) ++depth;
    EXPECT_GE(depth, 29);
    EXPECT_LT(depth, 100);
  }
}

}  // namespace
}  // namespace atomemo::definition
