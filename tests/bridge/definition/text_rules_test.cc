#include "bridge/definition/text_rules.h"

#include <string>

#include "gtest/gtest.h"

namespace atomemo::definition {
namespace {

bool Accepts(std::optional<std::string> (*check)(absl::string_view), absl::string_view text) {
  return !check(text).has_value();
}

TEST(Name, HasFiveToSixtyFiveCharacters) {
  EXPECT_FALSE(Accepts(CheckName, "abcd"));
  EXPECT_TRUE(Accepts(CheckName, "abcde"));
  EXPECT_TRUE(Accepts(CheckName, std::string(65, 'a')));
  EXPECT_FALSE(Accepts(CheckName, std::string(66, 'a')));
}

TEST(Name, HasNoMarksSideBySideOrAtItsEnds) {
  EXPECT_TRUE(Accepts(CheckName, "a-b_c-d"));
  for (const char* bad :
       {"ab--cd", "ab-_cd", "ab__cd", "-abcd", "abcd-", "abcd_", "1abcd", "ab.cd", "abcde\n"}) {
    EXPECT_FALSE(Accepts(CheckName, bad)) << bad;
  }
}

TEST(Version, IsSemVer) {
  for (const char* good :
       {"0.0.0", "1.20.300", "1.0.0-rc.1", "1.0.0-0a.b-c", "1.0.0+007", "1.0.0-x+build.7"}) {
    EXPECT_TRUE(Accepts(CheckVersion, good)) << good;
  }
  for (const char* bad : {"", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01",
                          "1.0.0+", "1..0", "1.0.x", "1.0.0-a_b", "1.0.0 ", "-1.0.0"}) {
    EXPECT_FALSE(Accepts(CheckVersion, bad)) << bad;
  }
}

TEST(ModelName, AllowsDotsAndSlashesAndHasNoUpperBound) {
  EXPECT_TRUE(Accepts(CheckModelName, "openai/gpt-4.1"));
  EXPECT_TRUE(Accepts(CheckModelName, "a//b"));
  EXPECT_TRUE(Accepts(CheckModelName, "a" + std::string(500, 'b')));
  for (const char* bad : {"", "a", "a..b", "a-.b", "a/", "1a"}) {
    EXPECT_FALSE(Accepts(CheckModelName, bad)) << bad;
  }
}

TEST(StrictName, HasOneToSixtyFourCharactersAndSingleUnderscores) {
  EXPECT_TRUE(Accepts(CheckStrictName, "a"));
  EXPECT_TRUE(Accepts(CheckStrictName, std::string(64, 'a')));
  for (const std::string& bad :
       {std::string(), std::string(65, 'a'), std::string("a__b"), std::string("a_"),
        std::string("_a"), std::string("a-b"), std::string("é")}) {
    EXPECT_FALSE(Accepts(CheckStrictName, bad)) << bad;
  }
}

TEST(Email, FollowsTheOfficialPattern) {
  for (const char* good : {"a@b.co", "A.B+c@d-e.co.uk", "a@b-.co", "_@c.co", "1@1.co"}) {
    EXPECT_TRUE(Accepts(CheckEmail, good)) << good;
  }
  for (const char* bad : {"", "a", "@b.co", "a@b", "a@.co", "a@b..co", ".a@b.co", "a.@b.co",
                          "'@c.co", "a@b.c0", "a@b.co\n", "a@b@c.co", "a@-b.co"}) {
    EXPECT_FALSE(Accepts(CheckEmail, bad)) << bad;
  }
}

TEST(Base64, NeedsFullGroupsAndPaddingAtTheEnd) {
  for (const char* good : {"", "aGk=", "QR==", "aGVs"})
    EXPECT_TRUE(Accepts(CheckBase64, good)) << good;
  for (const char* bad : {"aGk", "====", "a===", "aG=k", "aGVs aGVs", "aGk-"}) {
    EXPECT_FALSE(Accepts(CheckBase64, bad)) << bad;
  }
}

TEST(Locale, HasTwoPartsTheSecondInUpperCase) {
  for (const char* good : {"en_US", "zh_Hans", "_US", "en_1", "en_ ", "en_\u4e2d", "en_\u00c9"}) {
    EXPECT_TRUE(Accepts(CheckLocale, good)) << good;
  }
  for (const char* bad : {"en", "zh_Hans_CN", "en_", "en_us", "zh-Hans", "__proto__"}) {
    EXPECT_FALSE(Accepts(CheckLocale, bad)) << bad;
  }
}

TEST(Locale, UpperCaseIsJavaScripts) {
  EXPECT_FALSE(Accepts(CheckLocale, "en_\u00df"));  // upper case is SS
  EXPECT_FALSE(Accepts(CheckLocale, "en_\u01c5"));  // title case
  EXPECT_FALSE(Accepts(CheckLocale, "en_\ufb01"));  // a ligature
  // JavaScript looks at half of a letter beyond the basic plane, which has no case.
  EXPECT_TRUE(Accepts(CheckLocale, "en_\U00010428"));
}

TEST(Decimal, IsWrittenAsJavaScriptWritesNumbers) {
  const std::pair<const char*, const char*> spellings[] = {
      {"1.50", "1.5"},
      {"-0", "0"},
      {"007", "7"},
      {"0.000001", "0.000001"},
      {"0.0000001", "1e-7"},
      {"99999999999999999999", "100000000000000000000"},
      {"1000000000000000000000", "1e+21"}};
  for (const auto& [written, canonical] : spellings) {
    EXPECT_TRUE(Accepts(CheckDecimal, written));
    EXPECT_EQ(CanonicalDecimal(written), canonical);
  }
  for (const std::string& bad :
       {std::string(), std::string("-"), std::string("1."), std::string(".5"), std::string("1e3"),
        std::string("+1"), std::string("NaN"), std::string(400, '9')}) {
    EXPECT_FALSE(Accepts(CheckDecimal, bad)) << bad;
  }
}

}  // namespace
}  // namespace atomemo::definition
