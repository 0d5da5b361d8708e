#include "bridge/definition/js_regex.h"

#include <string>

#include "gtest/gtest.h"

namespace atomemo::definition {
namespace {

bool Compiles(absl::string_view pattern) { return !CheckJsRegex(pattern).has_value(); }

TEST(JsRegex, AcceptsWhatTheWebAccepts) {
  for (const char* good : {"",        "https://notion\\.so/(?:[^/]+/)?([0-9a-f]{32})",
                           "a{",      "{",
                           "}",       "]",
                           "a{,2}",   "(?<year>\\d{4})\\k<year>",
                           "(?<=a)b", "(?=a)*",
                           "[a-\\d]", "[^]",
                           "[]",      "\\c",
                           "\\u{1}",  "\\p{L}",
                           "\\8",     "(?<a>x)|(?<a>y)",
                           "(?i:a)",  "[\\b]",
                           "é+"}) {
    EXPECT_TRUE(Compiles(good)) << good;
  }
}

TEST(JsRegex, RefusesWhatJavaScriptCannotCompile) {
  for (const char* bad : {"(", ")", "[", "*", "a**", "^*", "(?<=a)*", "a{2,1}", "{1}", "[z-a]",
                          "\\", "[\\", "(?<n>a)(?<n>b)", "(?<n>a)\\k<m>", "(?<1>a)", "(?<n",
                          "(?>a)", "[\xf0\x9f\x98\x80-\xf0\x9f\x98\x81]"}) {
    EXPECT_FALSE(Compiles(bad)) << bad;
  }
}

TEST(JsRegex, LetsOnlyAlternativesShareTheNameOfAGroup) {
  for (const char* good :
       {"(?<a>x)|(?:(?<a>y)|(?<a>z))", "(?:(?<a>x)|(?<a>y))|(?<a>z)", "(?:(?<a>x)|y)(?:(?<b>z)|w)",
        "(?:(?:(?<a>x))|(?:(?:(?<a>y))))", "(?<a>(?<b>x)|(?<b>y))\\k<b>"}) {
    EXPECT_TRUE(Compiles(good)) << good;
  }
  for (const char* bad : {"(?:(?<a>x)|y)(?<a>z)", "(?<a>(?<a>x))", "(?<a>x|(?<a>y))",
                          "(?<a>x)|(?<a>y)(?<a>z)", "(?:(?<a>x)|(?<b>y))(?:z|(?<b>w))",
                          "(?<a>x)(?:y|(?<a>z))", "(?:(?<a>x)|(?:y|(?:z|(?<a>u))))(?<a>v)"}) {
    EXPECT_FALSE(Compiles(bad)) << bad;
  }
}

TEST(JsRegex, TellsAuthorsOfOtherLanguagesPatternsWhatToWrite) {
  EXPECT_NE(CheckJsRegex("(?P<id>\\d+)")->find("(?<name>...)"), std::string::npos);
}

TEST(JsRegex, IsNotOverflowedByDeepNesting) {
  EXPECT_TRUE(Compiles(std::string(1'000'000, '(')));
  EXPECT_FALSE(Compiles("\xff"));
}

}  // namespace
}  // namespace atomemo::definition
