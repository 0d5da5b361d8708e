#include "bridge/base/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/json_error.h"
#include "nlohmann/json.hpp"

namespace atomemo::base {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Nested(int levels) {
  return absl::StrCat(std::string(levels, '['), std::string(levels, ']'));
}

absl::Status Check(absl::string_view text) {
  JsonReader reader(text);
  reader.Skip();
  reader.End();
  return reader.status();
}

bool Accepts(absl::string_view text) { return Check(text).ok(); }

std::string ErrorOf(absl::string_view text) { return std::string(Check(text).message()); }

TEST(JsonReaderTest, NumbersOfAnySizeAreNumbers) {
  for (const char* number :
       {"0", "-0", "0.0", "-0.0e-0", "1E+5", "1e5", "10", "18446744073709551615",
        "100000000000000000000", "-9223372036854775809", "1e400", "-1e400", "1e-400",
        "1e99999999999999999999",
        "115792089237316195423570985008687907853269984665640564039457584007"
        "913129639935"}) {
    EXPECT_TRUE(Accepts(number)) << number;
    EXPECT_TRUE(Accepts(absl::StrCat(" [", number, " , ", number, "] "))) << number;
  }
  const std::string digits(100'000, '7');
  EXPECT_TRUE(Accepts(digits));
  EXPECT_TRUE(Accepts(absl::StrCat("-0.", digits, "e", digits)));
}

TEST(JsonReaderTest, WhatOnlyLooksLikeANumberIsRefused) {
  for (const char* number :
       {"-",     "+1",   "01",    "-01", "00", "1.",    ".5",    "1.e5", "1e", "1e+",
        "1.5e-", "0x10", "1_000", "--1", "1-", "1.2.3", "1e5.0", "0b1",  "1,", "- 1"}) {
    EXPECT_FALSE(Accepts(number)) << number;
    EXPECT_FALSE(Accepts(absl::StrCat("[", number, "]"))) << number;
  }
}

TEST(JsonReaderTest, AnErrorTellsThePlaceAndWhatToWrite) {
  EXPECT_EQ(ErrorOf(R"({"average": NaN})"),
            "not valid JSON at line 1, column 13: NaN is no JSON: use null");
  EXPECT_EQ(ErrorOf("{\n  \"名\": \"值\",\n  \"値\": -Infinity\n}"),
            "not valid JSON at line 3, column 8: -Infinity is no JSON: use null");
  EXPECT_THAT(ErrorOf("[None]"), HasSubstr("None is no JSON: use null"));
  EXPECT_THAT(ErrorOf("undefined"), HasSubstr("undefined is no JSON: use null"));
  EXPECT_THAT(ErrorOf("[True]"), HasSubstr("True is no JSON: use true"));
  EXPECT_THAT(ErrorOf("[1,2,]"), HasSubstr("column 6: a comma stands before the end of an array"));
  EXPECT_THAT(ErrorOf(R"({"a":1,})"), HasSubstr("a comma stands before the end of an object"));
  EXPECT_THAT(ErrorOf("{'a':1}"), HasSubstr("a member's name in double quotes"));
  EXPECT_THAT(ErrorOf("['a']"), HasSubstr("strings stand in double quotes"));
  EXPECT_THAT(ErrorOf("[1 // one\n]"), HasSubstr("a comma or the end of the array"));
  EXPECT_THAT(ErrorOf("// one\n1"), HasSubstr("JSON has no comments"));
  EXPECT_THAT(ErrorOf(R"({"a" 1})"), HasSubstr("a colon must follow"));
  EXPECT_THAT(ErrorOf(R"({"a":})"), HasSubstr("a value is missing"));
  EXPECT_THAT(ErrorOf("007"), HasSubstr("a number must not begin with a zero"));
  EXPECT_THAT(ErrorOf("[.5]"), HasSubstr("a number must begin with a digit"));
  EXPECT_THAT(ErrorOf("\"a\nb\""), HasSubstr("must not contain a line break: write \\n"));
  EXPECT_THAT(ErrorOf("\"a\tb\""), HasSubstr("control characters"));
  EXPECT_THAT(ErrorOf(R"("\x41")"), HasSubstr("JSON knows no such escape"));
  EXPECT_THAT(ErrorOf(R"("\u12g4")"), HasSubstr("four hexadecimal digits"));
  EXPECT_THAT(ErrorOf("[\"abc"), HasSubstr("column 2: this string has no end"));
  EXPECT_THAT(ErrorOf("[1"), HasSubstr("an array has no end"));
  EXPECT_THAT(ErrorOf("{\"a\":1"), HasSubstr("an object has no end"));
  EXPECT_THAT(ErrorOf("{} {}"), HasSubstr("column 4: something follows the end"));
  EXPECT_THAT(ErrorOf("\xEF\xBB\xBF{}"), HasSubstr("byte order mark"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("a value is missing"));
}

TEST(JsonReaderTest, AnErrorSaysNothingOfTheText) {
  for (const char* text : {R"({"s3cret": s3cret})", R"(["s3cret)", "s3cret", R"({"s3cret" 1})"}) {
    EXPECT_THAT(ErrorOf(text), Not(HasSubstr("s3cret"))) << text;
  }
}

TEST(JsonReaderTest, AnExcerptShowsALittleOfThePlace) {
  const std::string text = absl::StrCat(R"({"text":")", std::string(100, 'x'), R"(","é":)",
                                        "NaN,\"rest\":\"", std::string(100, 'y'), "\"}");
  const std::size_t offset = JsonErrorOffset(Check(text)).value();
  EXPECT_EQ(text.substr(offset, 3), "NaN");
  EXPECT_EQ(JsonExcerpt(text, offset), R"(..."xxxxxxxxxxxxx\",\"é\":NaN,\"rest\":\"yyyyyyyy"...)");
  EXPECT_EQ(JsonExcerpt("NaN", 0), R"("NaN")");
  EXPECT_EQ(JsonExcerpt("", 7), R"("")");
  // Characters of several bytes stay whole at both ends.
  EXPECT_EQ(JsonExcerpt("ééééééééééé!ééééééééééé", 22), R"(..."éééééééééé!ééééééééé"...)");
}

TEST(JsonReaderTest, DepthIsCountedInContainers) {
  EXPECT_TRUE(Accepts(Nested(kMaxJsonDepth)));
  EXPECT_THAT(ErrorOf(Nested(kMaxJsonDepth + 1)), HasSubstr("nested deeper than 100 levels"));
  EXPECT_FALSE(Accepts(std::string(1'000'000, '[')));
  EXPECT_FALSE(Accepts(std::string(1'000'000, '{')));
  const std::string deepest = Nested(JsonReader::kMaxDepth);
  JsonReader deep(deepest, JsonReader::kMaxDepth);
  EXPECT_TRUE(deep.Skip());
}

TEST(JsonReaderTest, DepthCountsWhatWasEnteredBefore) {
  const std::string text = Nested(3);
  JsonReader reader(text, 2);
  ASSERT_TRUE(reader.BeginArray());
  ASSERT_TRUE(reader.NextElement());
  EXPECT_FALSE(reader.Skip());
  EXPECT_THAT(std::string(reader.status().message()), HasSubstr("nested deeper than 2 levels"));
}

TEST(JsonReaderTest, MembersAreHandedOutAsTheyStand) {
  JsonReader reader(R"( {"a" : 1.50 , "b\u0063":{"x":[1, 2]},"d":"\u00e9"} )");
  std::string name;
  absl::string_view value;
  std::vector<std::string> seen;
  ASSERT_TRUE(reader.BeginObject());
  while (reader.NextMember(name) && reader.Skip(value))
    seen.push_back(absl::StrCat(name, "=", value));
  EXPECT_TRUE(reader.End()) << reader.status();
  EXPECT_EQ(seen, (std::vector<std::string>{"a=1.50", "bc={\"x\":[1, 2]}", "d=\"\\u00e9\""}));
}

TEST(JsonReaderTest, ElementsInsideElements) {
  JsonReader reader("[[],[1],[[2]]]");
  ASSERT_TRUE(reader.BeginArray());
  int containers = 0;
  while (reader.NextElement()) {
    ASSERT_TRUE(reader.BeginArray());
    while (reader.NextElement()) ASSERT_TRUE(reader.Skip());
    ++containers;
  }
  EXPECT_EQ(containers, 3);
  EXPECT_TRUE(reader.End());
}

TEST(JsonReaderTest, AfterAnErrorNothingIsRead) {
  JsonReader reader("[1 2]");
  ASSERT_TRUE(reader.BeginArray());
  ASSERT_TRUE(reader.NextElement());
  ASSERT_TRUE(reader.Skip());
  std::string text;
  EXPECT_FALSE(reader.NextElement());
  EXPECT_FALSE(reader.Skip());
  EXPECT_FALSE(reader.ReadString(text));
  EXPECT_FALSE(reader.BeginObject());
  EXPECT_FALSE(reader.End());
  EXPECT_THAT(std::string(reader.status().message()), HasSubstr("column 4"));
}

std::string Decoded(absl::string_view literal) {
  JsonReader reader(literal);
  std::string text;
  return reader.ReadString(text) && reader.End() ? text : reader.status().ToString();
}

TEST(JsonReaderTest, StringsAreDecoded) {
  EXPECT_EQ(Decoded(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(Decoded(R"("\u0041\u00e9\u20AC\uD83D\ude00")"), "A\u00e9\u20ac\U0001F600");
  EXPECT_EQ(Decoded(R"("a\u0000b")"), std::string("a\0b", 3));
  EXPECT_EQ(Decoded("\"plain \u00e9\""), "plain \u00e9");
}

TEST(JsonReaderTest, LoneSurrogatesAreTakenReplacedAndReported) {
  for (const char* literal : {R"("a\ud83d")", R"("a\udc00")", R"("a\uD83D")"}) {
    JsonReader reader(literal);
    std::string text;
    EXPECT_TRUE(reader.ReadString(text));
    EXPECT_EQ(text, "a\uFFFD") << literal;
    EXPECT_TRUE(reader.has_lone_surrogates()) << literal;
  }
  EXPECT_EQ(Decoded(R"("\ud83d\ud83d\ude00\ude00x")"), "\uFFFD\U0001F600\uFFFDx");
  EXPECT_EQ(Decoded(R"("\ud83d\n\ud83dA")"), "\uFFFD\n\uFFFDA");
  JsonReader pair(R"(["\ud83d\ude00","\\ud83d"])");
  EXPECT_TRUE(pair.Skip());
  EXPECT_FALSE(pair.has_lone_surrogates());
  JsonReader name(R"({"\udfff":1})");
  EXPECT_TRUE(name.Skip());
  EXPECT_TRUE(name.has_lone_surrogates());
}

TEST(JsonReaderTest, TextThatIsNotUtf8IsRefused) {
  for (const char* bad : {"\xff", "\xc0\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xc3",
                          "\xf4\x90\x80\x80", "\x80", "\xe2\x82"}) {
    for (const std::size_t padding : {0, 1, 7, 15, 16, 31, 64, 1000}) {
      const std::string text(padding, 'a');
      EXPECT_FALSE(Accepts(absl::StrCat("\"", text, bad, "\""))) << padding;
      EXPECT_FALSE(Accepts(absl::StrCat("[\"", text, bad, text, "\"]"))) << padding;
      EXPECT_FALSE(Accepts(absl::StrCat("{\"", text, bad, text, "\":1}"))) << padding;
    }
  }
  EXPECT_FALSE(Accepts("[1]\xc3\xa9"));
}

// The quick walk through strings takes steps of different sizes: every length must end alike.
TEST(JsonReaderTest, StringsOfEveryLengthEndWhereTheyEnd) {
  for (std::size_t length = 0; length < 200; ++length) {
    const std::string text(length, 'x');
    EXPECT_TRUE(Accepts(absl::StrCat("[\"", text, "\"]")));
    EXPECT_TRUE(Accepts(absl::StrCat("[\"", text, "\\n\u00e9\"]")));
    EXPECT_FALSE(Accepts(absl::StrCat("[\"", text)));
    for (std::size_t at = 0; at < length; ++at) {
      std::string broken = text;
      broken[at] = '\n';
      EXPECT_FALSE(Accepts(absl::StrCat("\"", broken, "\""))) << length << " " << at;
      broken[at] = '"';
      EXPECT_FALSE(Accepts(absl::StrCat("\"", broken, "\""))) << length << " " << at;
    }
  }
}

// The other parser refuses numbers that no double holds.
bool HasNumberBeyondDouble(const std::string& text) {
  try {
    return nlohmann::json::parse(text).is_discarded();
  } catch (const nlohmann::json::out_of_range&) {
    return true;
  } catch (const nlohmann::json::exception&) {
  }
  return false;
}

// Random texts made of JSON's parts, each judged by another parser as well.
TEST(JsonReaderTest, AgreesWithAnotherParser) {
  const std::vector<std::string> parts = {"{",      "}",     "[",     "]",       ",",
                                          ":",      " ",     "\n",    "0",       "1",
                                          "-",      "+",     ".",     "e",       "E",
                                          "12.5",   "1e5",   "\"",    "\"a\"",   "\"b\":",
                                          "\\",     "\\n",   "\\u",   "\\u00e9", "\\ud83d\\ude00",
                                          "true",   "false", "null",  "nul",     "a",
                                          "\u00e9", "\xc3",  "\xff",  "\x01",    "\t",
                                          "{}",     "[]",    "\"\":", "/",       "NaN"};
  std::mt19937 random(20261128);
  const auto pick = [&random](std::size_t count) { return random() % count; };
  int valid = 0;
  for (int i = 0; i < 300'000; ++i) {
    std::string text;
    for (std::size_t left = 1 + pick(8); left > 0; --left) text += parts[pick(parts.size())];
    if (pick(2) == 0) text = absl::StrCat("[", text, "]");
    if (pick(3) == 0) text = absl::StrCat("{\"k\":", text, "}");
    const bool accepted = nlohmann::json::accept(text);
    valid += accepted ? 1 : 0;
    if (!accepted && HasNumberBeyondDouble(text)) continue;
    ASSERT_EQ(Accepts(text), accepted) << text;
  }
  EXPECT_GT(valid, 10'000);
}

}  // namespace
}  // namespace atomemo::base
