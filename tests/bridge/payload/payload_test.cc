#include "bridge/payload/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/base/json.h"

namespace atomemo::payload {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST(JsonTextOfTest, NumbersOfAnySizeKeepTheirDigits) {
  const std::string text = R"({"n":[115792089237316195423570985008687907853269984665640564039457,)"
                           R"(-9223372036854775809,1e400,-0,1E+5]})";
  EXPECT_EQ(JsonTextOf(JsonObjectOf(text)).value(), text);
  EXPECT_EQ(JsonTextOf(JsonValueOf(std::string(100'000, '7'))).value(), std::string(100'000, '7'));
}

TEST(JsonTextOfTest, LoneSurrogatesBecomeTheReplacementCharacter) {
  EXPECT_EQ(JsonTextOf(JsonValueOf(R"(["\ud83d","\ud83d\ude00"])")).value(),
            R"(["\ufffd","\ud83d\ude00"])");
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

TEST(JsonTextOfTest, AnErrorTellsWhereAndWhatAndOnlyToTheWriterWhatStandsThere) {
  const absl::Status status =
      JsonTextOf(JsonObjectOf("{\"secret\":\"s3cret\",\n \"average\": NaN}")).status();
  EXPECT_EQ(status.message(), "not valid JSON at line 2, column 13: NaN is no JSON: use null");
  EXPECT_EQ(MessageWithExcerpt(status),
            "not valid JSON at line 2, column 13: NaN is no JSON: use null "
            R"((near ..."3cret\",\n \"average\": NaN}"))");
}

TEST(JsonTextOfTest, ANaNInAStructIsFoundByItsName) {
  pb::JsonObject object;
  auto& list = *(*object.mutable_fields()->mutable_fields())["rates"].mutable_list_value();
  list.add_values()->set_number_value(1);
  auto& inner = *list.add_values()->mutable_struct_value();
  (*inner.mutable_fields())["usd"].set_number_value(std::numeric_limits<double>::quiet_NaN());
  const absl::Status status = JsonTextOf(object).status();
  EXPECT_EQ(status.message(), "NaN is no JSON: use null");
  EXPECT_EQ(MessageWithExcerpt(status), R"(NaN is no JSON: use null (at "rates.1.usd"))");
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

// What is read back is the same number, and nothing looks like an integer of more than 64 bits,
// which many readers refuse.
TEST(JsonTextOfTest, EveryDoubleIsWrittenSoThatItIsReadBack) {
  EXPECT_EQ(TextOfNumber(1.2345678901234568e20), "1.2345678901234568e+20");
  EXPECT_EQ(TextOfNumber(1e22), "1e+22");
  EXPECT_EQ(TextOfNumber(-9223372036854775808.0), "-9.223372036854776e+18");
  EXPECT_EQ(TextOfNumber(-0.0), "-0.0");
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    double number = 0;
    const std::uint64_t bits = random();
    std::memcpy(&number, &bits, sizeof(number));
    if (i % 2 == 0) number = std::trunc(std::ldexp(static_cast<double>(bits), -(i % 64)));
    if (!std::isfinite(number)) continue;
    const std::string text = TextOfNumber(number);
    ASSERT_EQ(base::NearestDouble(text).value(), number) << text;
    const absl::StatusOr<base::Json> parsed = base::ParseJson(text);
    ASSERT_TRUE(parsed.ok() && parsed->get<double>() == number) << text;
  }
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

double NumberInStruct(absl::string_view number) {
  pb::Invocation invoke;
  *invoke.mutable_parameters() = JsonObjectOf(absl::StrCat("{\"n\":", number, "}"));
  const absl::Status status = ConvertEncoding(pb::PAYLOAD_ENCODING_STRUCT, invoke);
  EXPECT_TRUE(status.ok()) << status;
  return invoke.parameters().fields().fields().at("n").number_value();
}

TEST(ConvertEncodingTest, StructSessionsGetTheNearestDouble) {
  EXPECT_EQ(NumberInStruct("100000000000000000000"), 1e20);
  EXPECT_EQ(NumberInStruct("-9223372036854775809"), -9223372036854775808.0);
  EXPECT_EQ(NumberInStruct("1e-400"), 0.0);
  EXPECT_EQ(NumberInStruct(absl::StrCat("0.", std::string(100'000, '3'))), 1.0 / 3);
  EXPECT_TRUE(std::signbit(NumberInStruct("-0")));
}

TEST(ConvertEncodingTest, ANumberThatNoDoubleHoldsIsRefusedWithTheReason) {
  for (const std::string& number : {std::string("1e400"), std::string(400, '9')}) {
    pb::Invocation invoke;
    *invoke.mutable_parameters() = JsonObjectOf(absl::StrCat("{\"n\":[", number, "]}"));
    const absl::Status status = ConvertEncoding(pb::PAYLOAD_ENCODING_STRUCT, invoke);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("beyond what a double can hold"),
                      HasSubstr("PAYLOAD_ENCODING_JSON"), Not(HasSubstr(number))));
  }
}

TEST(ConvertEncodingTest, StringsInAStructAreValidUtf8Always) {
  pb::Invocation invoke;
  *invoke.mutable_parameters() = JsonObjectOf(R"({"\udfff":"a\ud83d","b":"x\u0000y"})");
  ASSERT_TRUE(ConvertEncoding(pb::PAYLOAD_ENCODING_STRUCT, invoke).ok());
  EXPECT_EQ(invoke.parameters().fields().fields().at("\uFFFD").string_value(), "a\uFFFD");
  EXPECT_EQ(invoke.parameters().fields().fields().at("b").string_value(), std::string("x\0y", 3));
  EXPECT_TRUE(pb::Invocation().ParseFromString(invoke.SerializeAsString()));
}

TEST(ConvertEncodingTest, OfMembersWithTheSameNameTheLastCounts) {
  pb::Invocation invoke;
  *invoke.mutable_parameters() = JsonObjectOf(R"({"a":{"x":1},"a":{"y":2}})");
  ASSERT_TRUE(ConvertEncoding(pb::PAYLOAD_ENCODING_STRUCT, invoke).ok());
  const auto& inner = invoke.parameters().fields().fields().at("a").struct_value().fields();
  EXPECT_EQ(inner.count("x"), 0u);
  EXPECT_EQ(inner.at("y").number_value(), 2);
}

TEST(ConvertEncodingTest, NothingIsKeptOfALargePayload) {
  const std::string text = absl::StrCat("{\"a\":\"", std::string(6'000'000, 'x'), "\"}");
  const auto convert = [&text] {
    pb::Invocation invoke;
    *invoke.mutable_parameters() = JsonObjectOf(text);
    return ConvertEncoding(pb::PAYLOAD_ENCODING_STRUCT, invoke).ok();
  };
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_TRUE(convert());
  const std::size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_LT(after, before + 1'000'000);  // What others log meanwhile counts, too.
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
}  // namespace atomemo::payload
