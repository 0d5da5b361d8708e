#include "bridge/base/json_members.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace atomemo::base {
namespace {

using ::testing::Optional;

TEST(JsonMembersTest, ValuesAreCutOutByteForByte) {
  JsonMembers members =
      *JsonMembers::Cut(R"( { "big" : 100000000000000000000 ,"tiny":1e-999,"o": {"x" : [ 1 ]} } )");
  EXPECT_EQ(members.Take("big"), "100000000000000000000");
  EXPECT_EQ(members.Take("o"), R"({"x" : [ 1 ]})");
  EXPECT_EQ(members.RestAsObject(), R"({"tiny":1e-999})");
}

TEST(JsonMembersTest, OfMembersWithTheSameNameTheLastCounts) {
  JsonMembers members = *JsonMembers::Cut(R"({"id":1,"i\u0064":2,"x":0})");
  EXPECT_EQ(members.Take("id"), "2");
  EXPECT_FALSE(members.Has("id"));
  EXPECT_TRUE(members.Has("x"));
}

TEST(JsonMembersTest, NullIsAsGoodAsMissingForTakingButIsThere) {
  JsonMembers members = *JsonMembers::Cut(R"({"a":null})");
  EXPECT_TRUE(members.Has("a"));
  EXPECT_EQ(members.Take("a"), std::nullopt);
  EXPECT_FALSE(members.Has("a"));
}

TEST(JsonMembersTest, OnlyObjectsHaveMembers) {
  for (const char* text : {"", "[]", "1", "null", "\"{}\"", "{", "{\"a\"}", "{} x"}) {
    EXPECT_FALSE(JsonMembers::Cut(text).ok()) << text;
  }
}

TEST(JsonMembersTest, StringsAreUnquoted) {
  EXPECT_THAT(UnquoteJson(R"("a\"b\u00e9")"), Optional(std::string("a\"b\u00e9")));
  EXPECT_THAT(UnquoteJson(R"("\ud83d")"), Optional(std::string("\uFFFD")));
  EXPECT_EQ(UnquoteJson("5"), std::nullopt);
  EXPECT_EQ(UnquoteJson(""), std::nullopt);
}

TEST(JsonMembersTest, FindsOneMemberWithoutChangingItsText) {
  const char* text = R"({"n":{"request_id":"inner"},"request_id":"a\"b","o":{"x": 1.000}})";
  EXPECT_EQ(StringMember(text, "request_id"), "a\"b");
  EXPECT_EQ(ObjectMember(text, "o"), R"({"x": 1.000})");
}

TEST(JsonMembersTest, FindsNothingOfAnotherType) {
  EXPECT_FALSE(StringMember(R"({"request_id":5})", "request_id"));
  EXPECT_FALSE(StringMember("[]", "request_id"));
  EXPECT_FALSE(StringMember(R"("text")", "request_id"));
  EXPECT_FALSE(ObjectMember(R"({"o":[]})", "o"));
}

TEST(JsonMembersTest, PutsAMemberFirst) {
  EXPECT_EQ(PrependMember("{}", "id", "1.0"), R"({"id":1.0})");
  EXPECT_EQ(PrependMember(" { \"x\":1}", "a\"", "[]"), R"({"a\"":[],"x":1})");
}

}  // namespace
}  // namespace atomemo::base
