#include "bridge/definition/spelling.h"

#include "gtest/gtest.h"

namespace atomemo::definition {
namespace {

const std::vector<absl::string_view> kTypes = {"string", "number", "integer",         "boolean",
                                               "array",  "object", "encrypted_string"};
const std::vector<absl::string_view> kMembers = {"default", "display_name", "required",
                                                 "properties"};

TEST(Spelling, FindsTheWordASlipOrTwoAway) {
  EXPECT_EQ(ClosestWord("strng", kTypes), "string");
  EXPECT_EQ(ClosestWord("defualt", kMembers), "default");
  EXPECT_EQ(ClosestWord("propertys", kMembers), "properties");
}

TEST(Spelling, SeesThroughOtherNamingStyles) {
  EXPECT_EQ(ClosestWord("displayName", kMembers), "display_name");
  EXPECT_EQ(ClosestWord("Display-Name", kMembers), "display_name");
}

TEST(Spelling, KnowsOtherLanguagesWordsAndBeginnings) {
  EXPECT_EQ(ClosestWord("float", kTypes), "number");
  EXPECT_EQ(ClosestWord("password", kTypes), "encrypted_string");
  EXPECT_EQ(ClosestWord("int", kTypes), "integer");
  EXPECT_EQ(ClosestWord("bool", kTypes), "boolean");
}

TEST(Spelling, GuessesNothingFarFetched) {
  EXPECT_EQ(ClosestWord("zzz", kTypes), "");
  EXPECT_EQ(ClosestWord("", kTypes), "");
  EXPECT_EQ(DidYouMean("weather", kMembers), "");
}

}  // namespace
}  // namespace atomemo::definition
