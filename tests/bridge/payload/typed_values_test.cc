#include "bridge/payload/typed_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"

namespace atomemo::payload {
namespace {

namespace pb = ::atomemo::plugin::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

google::protobuf::RepeatedPtrField<pb::TypedValue> MustFind(absl::string_view parameters) {
  auto found = FindTypedValues(parameters);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? *std::move(found) : google::protobuf::RepeatedPtrField<pb::TypedValue>();
}

TEST(FindTypedValuesTest, ReadsAFileRef) {
  const auto found = MustFind(
      R"({"f":{"__type__":"file_ref","source":"mem","filename":"a.txt","extension":".txt",
               "mime_type":"text/plain","size":5,"res_key":"k","remote_url":null,
               "content":"aGVsbG8="}})");
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].pointer(), "/f");
  const pb::FileRef& file = found[0].file_ref();
  EXPECT_EQ(file.source(), pb::FileRef::SOURCE_MEM);
  EXPECT_EQ(file.filename(), "a.txt");
  EXPECT_EQ(file.file_extension(), ".txt");
  EXPECT_EQ(file.mime_type(), "text/plain");
  EXPECT_EQ(file.size(), 5);
  EXPECT_EQ(file.res_key(), "k");
  EXPECT_FALSE(file.has_remote_url());
  EXPECT_EQ(file.content(), "hello");
}

TEST(FindTypedValuesTest, ReadsLocatorMapperAndLlmConfig) {
  const auto found = MustFind(
      R"({"l":{"__type__":"resource_locator","mode_name":"list","value":"v",
               "cached_result_label":"L","cached_result_url":"U"},
          "m":{"__type__":"resource_mapper","mapping_mode":"manual","value":{"a":1}},
          "c":{"__type__":"llm_config","model":"m1"}})");
  ASSERT_EQ(found.size(), 3);
  EXPECT_EQ(found[0].resource_locator().mode_name(), "list");
  EXPECT_EQ(found[0].resource_locator().value(), "v");
  EXPECT_EQ(found[0].resource_locator().cached_result_label(), "L");
  EXPECT_EQ(found[0].resource_locator().cached_result_url(), "U");
  EXPECT_EQ(found[1].resource_mapper().mapping_mode(), "manual");
  EXPECT_EQ(found[1].resource_mapper().value().json(), R"({"a":1})");
  EXPECT_EQ(found[2].llm_config().config().json(), R"({"__type__":"llm_config","model":"m1"})");
}

TEST(FindTypedValuesTest, FindsThemAtAnyDepthInDocumentOrder) {
  const auto found = MustFind(
      R"({"a/b~c":[{"x":0},{"__type__":"resource_mapper","value":
              {"inner":{"__type__":"file_ref","source":"oss"}}}],
          "z":{"__type__":"file_ref","source":"oss"}})");
  ASSERT_EQ(found.size(), 3);
  EXPECT_EQ(found[0].pointer(), "/a~1b~0c/1");
  EXPECT_EQ(found[1].pointer(), "/a~1b~0c/1/value/inner");
  EXPECT_EQ(found[2].pointer(), "/z");
}

TEST(FindTypedValuesTest, MembersOfTheWrongTypeStayUnset) {
  const auto found = MustFind(
      R"({"l":{"__type__":"resource_locator","mode_name":7,"value":[]},
          "c":{"__type__":"llm_config","model":7,"model_params":[]},
          "m":{"__type__":"resource_mapper","mapping_mode":null,"value":5}})");
  ASSERT_EQ(found.size(), 3);
  EXPECT_EQ(found[0].resource_locator().ByteSizeLong(), 0u);
  EXPECT_FALSE(found[1].llm_config().has_model() || found[1].llm_config().has_model_params());
  EXPECT_EQ(found[2].resource_mapper().ByteSizeLong(), 0u);
}

TEST(FindTypedValuesTest, AMalformedFileRefIsRefusedWithItsPlace) {
  const auto error = [](absl::string_view members) {
    const auto found =
        FindTypedValues(absl::StrCat(R"({"a":[1,{"__type__":"file_ref")", members, "}]}"));
    EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument) << members;
    return std::string(found.status().message());
  };
  EXPECT_EQ(error(""),
            "the file_ref in `parameters` at \"/a/1\" is malformed: `source` must be "
            "\"oss\" or \"mem\"");
  EXPECT_THAT(error(R"(,"source":"ftp")"), HasSubstr("`source`"));
  EXPECT_THAT(error(R"(,"source":"oss","filename":["s3cret"])"),
              AllOf(HasSubstr("`filename`"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(error(R"(,"source":"oss","size":"5")"), HasSubstr("`size`"));
  EXPECT_THAT(error(R"(,"source":"mem","content":"***")"), HasSubstr("base64"));
}

TEST(FindTypedValuesTest, AnLlmConfigIsTypedAndKeptWhole) {
  const std::string config =
      R"({"__type__":"llm_config","plugin_slug":"p","version_slug":"v","model":"m",)"
      R"("credential_instance_id":"c","model_params":{"seed":18446744073709551616},"more":1})";
  const auto found = MustFind(absl::StrCat(R"({"c":)", config, "}"));
  ASSERT_EQ(found.size(), 1);
  const pb::LlmConfig& typed = found[0].llm_config();
  EXPECT_EQ(typed.config().json(), config);
  EXPECT_EQ(typed.plugin_slug(), "p");
  EXPECT_EQ(typed.version_slug(), "v");
  EXPECT_EQ(typed.model(), "m");
  EXPECT_EQ(typed.credential_instance_id(), "c");
  EXPECT_EQ(typed.model_params().json(), R"({"seed":18446744073709551616})");
}

TEST(FindTypedValuesTest, AMappersNullIsToldFromAMissingValue) {
  const auto found = MustFind(R"({"a":{"__type__":"resource_mapper","value":null},
                          "b":{"__type__":"resource_mapper"}})");
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0].resource_mapper().value().json(), "null");
  EXPECT_FALSE(found[1].resource_mapper().has_value());
}

TEST(FindTypedValuesTest, OtherObjectsAndTextThatIsNotJsonHaveNone) {
  EXPECT_TRUE(MustFind("{}").empty());
  EXPECT_TRUE(MustFind(R"({"a":{"__type__":"something_else"},"b":"__type__"})").empty());
  EXPECT_TRUE(MustFind(R"({"a":{"__type__":7}})").empty());
  EXPECT_TRUE(MustFind(R"({"a":{"__type__":"file_ref")").empty());
}

TEST(FindTypedValuesTest, TheTextsInThemKeepTheirDigits) {
  const auto found = MustFind(
      R"({"m":{"value":{"n":100000000000000000000, "x":1e400},"__type__":"resource_mapper"},
          "c":{"__type__":"llm_config","seed":18446744073709551616, "t":0.10}})");
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0].resource_mapper().value().json(), R"({"n":100000000000000000000, "x":1e400})");
  EXPECT_EQ(found[1].llm_config().config().json(),
            R"({"__type__":"llm_config","seed":18446744073709551616, "t":0.10})");
}

TEST(FindTypedValuesTest, OddNumbersBesideThemDoNotHideThem) {
  const auto found = MustFind(
      R"({"a":1e400,"f":{"__type__":"file_ref","source":"oss","size":5.0e2},"b":"\ud83d",
          "g":{"__type__":"file_ref","source":"oss","filename":"a\ud83d","size":100000000000000000000}})");
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0].file_ref().size(), 500);
  EXPECT_EQ(found[1].file_ref().filename(), "a\uFFFD");
  EXPECT_FALSE(found[1].file_ref().has_size());
}

TEST(FindTypedValuesTest, OfMembersWithTheSameNameTheLastCounts) {
  const auto found = MustFind(
      R"({"f":{"__type__":"llm_config","__type__":"file_ref","source":"oss","res_key":"a","res_key":"b"}})");
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].file_ref().res_key(), "b");
}

TEST(FindTypedValuesTest, NothingIsKeptOfLargeParameters) {
  const std::string text = R"({"f":{"__type__":"file_ref","source":"mem","content":")" +
                           std::string(6'000'000, 'A') + "\"}}";
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_EQ(MustFind(text).size(), 1);
  const std::size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_LT(after, before + 65'536);
}

std::size_t BytesOf(const google::protobuf::RepeatedPtrField<pb::TypedValue>& values) {
  std::size_t bytes = 0;
  for (const pb::TypedValue& value : values) bytes += value.ByteSizeLong();
  return bytes;
}

// Each mapper's value holds all the mappers in it.
TEST(FindTypedValuesTest, ValuesInsideEachOtherDoNotMultiplyTheText) {
  std::string parameters = "\"" + std::string(100'000, 'x') + "\"";
  for (int i = 0; i < 45; ++i) {
    parameters = R"({"__type__":"resource_mapper","value":{"m":)" + parameters + "}}";
  }
  const auto found = MustFind(parameters);
  ASSERT_GE(found.size(), 2);
  EXPECT_EQ(found[0].pointer(), "");
  EXPECT_EQ(found[1].pointer(), "/value/m");
  EXPECT_LE(BytesOf(found), MaxTypedValuesBytes(parameters.size()) + parameters.size());
}

// A list of `count` elements that are `element`, behind `first`.
std::string ListOf(int count, const std::string& element, const std::string& first = "0") {
  std::string list = "{\"list\":[" + first;
  for (int i = 0; i < count; ++i) list += "," + element;
  return list + "]}";
}

TEST(FindTypedValuesTest, OfVeryManyTheFirstAreFound) {
  const int most = static_cast<int>(kMaxTypedValues);
  const std::string value = R"({"__type__":"file_ref","source":"oss"})";
  EXPECT_EQ(MustFind(ListOf(most, value)).size(), most);
  const auto found = MustFind(ListOf(most + 1, value));
  ASSERT_EQ(found.size(), most);
  EXPECT_EQ(found[0].pointer(), "/list/1");
  EXPECT_EQ(found[most - 1].pointer(), absl::StrCat("/list/", most));
}

TEST(FindTypedValuesTest, ObjectsOfOtherTypesTakeNoRoom) {
  const int most = static_cast<int>(kMaxTypedValues);
  EXPECT_EQ(
      MustFind(ListOf(2 * most, R"({"__type__":7})", R"({"__type__":"file_ref","source":"oss"})"))
          .size(),
      1);
  std::string parameters = ListOf(2 * most, R"({"__type__":"x"})");
  parameters.insert(parameters.size() - 1, R"(,"f":{"__type__":"file_ref","source":"oss"})");
  EXPECT_EQ(MustFind(parameters).size(), 1);
}

TEST(FindTypedValuesTest, WhatStandsBehindVeryManyOtherValuesIsNotLookedFor) {
  const std::string value = R"({"__type__":"file_ref","source":"oss"})";
  // The object, its list, the first element and what that has in it are values as well.
  const int most = static_cast<int>(kMaxVisitedValues) - 4;
  std::string parameters = ListOf(most, "1", value);
  EXPECT_EQ(MustFind(parameters).size(), 1);
  parameters.insert(parameters.size() - 1, R"(,"f":{"__type__":"file_ref","source":"oss"})");
  const auto found = MustFind(parameters);
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].pointer(), "/list/0");
}

TEST(FindTypedValuesTest, LongNamesDoNotMultiplyTheText) {
  const std::string name(100'000, 'n');
  std::string values;
  for (int i = 0; i < 10'000; ++i) values += R"({"__type__":"file_ref","source":"oss"},)";
  const std::string parameters = "{\"" + name + "\":[" + values + "0]}";
  const auto found = MustFind(parameters);
  ASSERT_GE(found.size(), 2);
  EXPECT_EQ(found[1].pointer(), "/" + name + "/1");
  EXPECT_LE(BytesOf(found), MaxTypedValuesBytes(parameters.size()) + parameters.size());
}

}  // namespace
}  // namespace atomemo::payload
