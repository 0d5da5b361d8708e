#include "bridge/base/json.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"

namespace atomemo::base {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Nested(int levels) {
  return absl::StrCat(std::string(levels, '['), "1", std::string(levels, ']'));
}

TEST(JsonTest, KeepsTheOrderOfMembers) {
  EXPECT_EQ(DumpJson(ParseJson(R"({"b":1,"a":2})").value()), R"({"b":1,"a":2})");
}

TEST(JsonTest, RefusesWhatIsNotExactlyOneValue) {
  for (const char* text : {"", "{", "{} {}", "[1,]", "nul", "\"\xff\""}) {
    EXPECT_FALSE(ParseJson(text).ok()) << text;
    EXPECT_FALSE(ValidateJson(text).ok()) << text;
  }
}

TEST(JsonTest, BothReadersDrawTheSameLineAtTheDepthLimit) {
  EXPECT_TRUE(ParseJson(Nested(kMaxJsonDepth)).ok());
  EXPECT_TRUE(ValidateJson(Nested(kMaxJsonDepth)).ok());
  EXPECT_THAT(std::string(ParseJson(Nested(kMaxJsonDepth + 1)).status().message()),
              HasSubstr("100"));
  EXPECT_THAT(std::string(ValidateJson(Nested(kMaxJsonDepth + 1)).message()), HasSubstr("100"));
}

TEST(JsonTest, AVeryDeepTextIsRefusedWithoutOverflow) {
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')).ok());
}

TEST(JsonTest, AnErrorSaysNothingOfTheText) {
  EXPECT_THAT(std::string(ParseJson(R"({"password": secret})").status().message()),
              Not(HasSubstr("secret")));
}

TEST(JsonTest, AnObjectIsToldFromOtherValues) {
  EXPECT_TRUE(ValidateJsonObject("{}").ok());
  EXPECT_FALSE(ValidateJsonObject("[]").ok());
}

TEST(JsonTest, QuotingSurvivesControlCharactersAndBadUtf8) {
  EXPECT_EQ(QuoteJson("a\"b\n"), R"("a\"b\n")");
  EXPECT_TRUE(ValidateJson(QuoteJson("\xc3\x28")).ok());
}

}  // namespace
}  // namespace atomemo::base
