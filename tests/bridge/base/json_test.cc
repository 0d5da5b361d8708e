#include "bridge/base/json.h"

#include <gmock/gmock.h>
#include <malloc.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

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
    EXPECT_FALSE(CheckJson(text).ok()) << text;
  }
}

TEST(JsonTest, BothReadersDrawTheSameLineAtTheDepthLimit) {
  EXPECT_TRUE(ParseJson(Nested(kMaxJsonDepth)).ok());
  EXPECT_TRUE(CheckJson(Nested(kMaxJsonDepth)).ok());
  for (const absl::Status& status : {ParseJson(Nested(kMaxJsonDepth + 1)).status(),
                                     CheckJson(Nested(kMaxJsonDepth + 1)).status()}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr("nested deeper than 100 levels"));
  }
}

TEST(JsonTest, AVeryDeepTextIsRefusedWithoutOverflow) {
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')).ok());
}

TEST(JsonTest, AnErrorSaysNothingOfTheText) {
  EXPECT_THAT(std::string(ParseJson(R"({"password": secret})").status().message()),
              Not(HasSubstr("secret")));
}

TEST(JsonTest, NumbersAreBuiltAsTheKindThatHoldsThem) {
  EXPECT_EQ(ParseJson("18446744073709551615")->get<std::uint64_t>(), 18446744073709551615u);
  EXPECT_EQ(ParseJson("-9223372036854775808")->get<std::int64_t>(), INT64_MIN);
  EXPECT_TRUE(ParseJson("-0")->is_number_integer());
  EXPECT_EQ(ParseJson("100000000000000000000")->get<double>(), 1e20);
  EXPECT_EQ(ParseJson("-9223372036854775809")->get<double>(), -9223372036854775808.0);
  EXPECT_TRUE(ParseJson("1.0")->is_number_float());
  EXPECT_EQ(ParseJson("1e-400")->get<double>(), 0.0);
  EXPECT_THAT(std::string(ParseJson("[1,\n 1e400]").status().message()),
              HasSubstr("line 2, column 2: a number is beyond what a double can hold"));
}

TEST(JsonTest, AByteOrderMarkBeforeADefinitionIsNoHarm) {
  EXPECT_EQ(ParseJson("\xEF\xBB\xBF[1]")->size(), 1u);
  EXPECT_THAT(std::string(ParseJson("\xEF\xBB\xBF[x]").status().message()), HasSubstr("column 2"));
}

TEST(JsonTest, OfMembersWithTheSameNameTheLastWins) {
  EXPECT_EQ(DumpJson(*ParseJson(R"({"a":1,"b":2,"\u0061":{"c":3}})")), R"({"a":{"c":3},"b":2})");
}

TEST(JsonTest, CheckedTextStaysAsItIs) {
  const std::string text = R"( {"n":[100000000000000000000,-9223372036854775809,1e400,-0,1.10]} )";
  EXPECT_EQ(*CheckJson(text), text);
  EXPECT_EQ(*CheckJsonObject(text), text);
}

TEST(JsonTest, LoneSurrogatesBecomeTheReplacementCharacter) {
  EXPECT_EQ(*CheckJson(R"(["cut \ud83d","\uDE00x","\ud83d\ude00","\\ud83d"])"),
            R"(["cut \ufffd","\ufffdx","\ud83d\ude00","\\ud83d"])");
  EXPECT_EQ(*ParseJson(R"("cut \ud83d")"), Json("cut \uFFFD"));
}

TEST(JsonTest, AnObjectIsToldFromOtherValues) {
  EXPECT_TRUE(CheckJsonObject("{}").ok());
  EXPECT_FALSE(CheckJsonObject("[]").ok());
}

TEST(JsonTest, TheNearestDoubleIsFoundForEveryNumberThatHasOne) {
  EXPECT_EQ(*NearestDouble("100000000000000000000"), 1e20);
  EXPECT_EQ(*NearestDouble("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(*NearestDouble("1e-400"), 0.0);
  EXPECT_EQ(*NearestDouble("-1e-99999999999999999999"), 0.0);
  EXPECT_EQ(*NearestDouble("0e99999999999999999999"), 0.0);
  EXPECT_TRUE(std::signbit(*NearestDouble("-0")));
  EXPECT_EQ(*NearestDouble("5e-324"), 5e-324);
  EXPECT_EQ(*NearestDouble("1.7976931348623157e308"), 1.7976931348623157e308);
  EXPECT_EQ(*NearestDouble(absl::StrCat("0.", std::string(100'000, '3'))), 1.0 / 3);
  EXPECT_EQ(*NearestDouble(absl::StrCat("0.", std::string(400, '0'), "1e401")), 1.0);
}

TEST(JsonTest, NoDoubleIsNearANumberBeyondAll) {
  for (const std::string& number : {std::string("1e400"), std::string("-1e400"),
                                    std::string("1e99999999999999999999"), std::string(400, '9')}) {
    EXPECT_EQ(NearestDouble(number).status().code(), absl::StatusCode::kOutOfRange) << number;
  }
}

TEST(JsonTest, QuotingSurvivesControlCharactersAndBadUtf8) {
  EXPECT_EQ(QuoteJson("a\"b\n\x01\x7f/\\\u00e9"), "\"a\\\"b\\n\\u0001\x7f/\\\\\u00e9\"");
  EXPECT_TRUE(CheckJson(QuoteJson("\xc3\x28")).ok());
  for (int c = 0; c < 128; ++c) {
    const std::string text(3, static_cast<char>(c));
    EXPECT_EQ(QuoteJson(text), Json(text).dump()) << c;
  }
}

TEST(JsonTest, IndentingKeepsDigitsAndShowsCharacters) {
  EXPECT_EQ(IndentJson(R"({"a":[1.00,1e400,{}],"b":{"c":"\u00e9\n"},"d":[]})", 2),
            "{\n  \"a\": [\n    1.00,\n    1e400,\n    {}\n  ],\n  \"b\": {\n    \"c\": "
            "\"\u00e9\\n\"\n  },\n  \"d\": []\n}");
  EXPECT_EQ(IndentJson("no json", 2), "no json");
}

// A reader that keeps what a large text took would hold it for the life of its thread.
TEST(JsonTest, NothingIsKeptOfALargeText) {
  const std::string text = absl::StrCat("{\"a\":[", std::string(6'000'000, ' '), "\"\\u00e9\"",
                                        "],\"b\":\"", std::string(1'000'000, 'x'), "\"}");
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_TRUE(CheckJson(text).ok());
  EXPECT_TRUE(ParseJson(text).ok());
  const std::size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_LT(after, before + 65'536);
}

}  // namespace
}  // namespace atomemo::base
