#include "bridge/hub/hub_refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace atomemo::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// "path: message" of every violation.
std::vector<std::string> Violations(absl::string_view suberrors) {
  std::vector<std::string> out;
  const std::string response = absl::StrCat(R"({"message":"m","suberrors":)", suberrors, "}");
  for (const auto& violation : ReadRefusal(response).violations) {
    out.push_back(absl::StrCat(violation.path(), ": ", violation.message()));
  }
  return out;
}

TEST(HubRefusalTest, MessageIsWhateverTheHubSays) {
  EXPECT_EQ(ReadRefusal(R"({"code":"c","message":"m"})").message, "m");
  EXPECT_EQ(ReadRefusal(R"({"reason":"r"})").message, "r");
  EXPECT_EQ(ReadRefusal(R"({"code":"c"})").message, "c");
  EXPECT_EQ(ReadRefusal(R"("text")").message, "text");
  for (const char* response : {"{}", "null", "[]", R"({"message":{}})", R"({"message":""})"}) {
    EXPECT_THAT(ReadRefusal(response).message, Not(IsEmpty())) << response;
  }
}

TEST(HubRefusalTest, ReadsAListOfErrorObjects) {
  EXPECT_THAT(Violations(R"([{"path":["tools",0,"name"],"message":"is required"},
                            {"field":"version","message":"is invalid"},
                            {"message":"alone"}])"),
              ElementsAre("tools[0].name: is required", "version: is invalid", ": alone"));
}

TEST(HubRefusalTest, ReadsTextsByField) {
  EXPECT_THAT(Violations(R"({"name":["can't be blank","is short"],"tools":{"name":["is taken"]}})"),
              ElementsAre("name: can't be blank", "name: is short", "tools.name: is taken"));
}

TEST(HubRefusalTest, ReadsNestedSuberrors) {
  EXPECT_THAT(Violations(R"([{"path":"tools","message":"invalid",
                              "suberrors":[{"path":"name","message":"missing"}]}])"),
              ElementsAre("tools: invalid", "tools.name: missing"));
}

TEST(HubRefusalTest, ReadsBareTexts) {
  EXPECT_THAT(Violations(R"(["one","two"])"), ElementsAre(": one", ": two"));
  EXPECT_THAT(Violations(R"("one")"), ElementsAre(": one"));
}

TEST(HubRefusalTest, OtherShapesAreNoErrors) {
  for (const char* suberrors : {"null", "7", "[]", "{}", "[[[]]]", "[null,7,true]"}) {
    EXPECT_THAT(Violations(suberrors), IsEmpty()) << suberrors;
  }
}

TEST(HubRefusalTest, TheNumberOfErrorsIsBounded) {
  std::string many = "[\"0\"";
  for (int i = 1; i < 1000; ++i) absl::StrAppend(&many, ",\"", i, "\"");
  EXPECT_THAT(Violations(many + "]"), SizeIs(100));
}

TEST(HubRefusalTest, UrlsLoseTheirQueries) {
  EXPECT_EQ(ReadRefusal(R"({"message":"see http://h/p?api_key=s3cret"})").message,
            "see http://h/p");
}

TEST(HubRefusalTest, TextsAndPathsAreCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1500; ++i) text += "é";
  const HubRefusal refusal =
      ReadRefusal(absl::StrCat(R"({"message":")", text, R"(","suberrors":[{"path":["a)", text,
                               R"("],"message":")", text, R"("}]})"));
  ASSERT_THAT(refusal.violations, SizeIs(1));
  const auto& violation = refusal.violations[0];
  for (const std::string& cut : {refusal.message, violation.path(), violation.message()}) {
    EXPECT_LE(cut.size(), 2000u);
    EXPECT_GE(cut.size(), 1998u);
    router::pb::HubState state;  // which proto3 refuses if the text is no UTF-8
    state.set_reason(cut);
    EXPECT_TRUE(router::pb::HubState().ParseFromString(state.SerializeAsString()));
  }
}

}  // namespace
}  // namespace atomemo::hub
