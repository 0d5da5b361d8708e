#include <gtest/gtest.h>

#include "bridge/devhub/host_policy.h"
#include "bridge/devhub/json_members.h"
#include "bridge/devhub/plugin_topic.h"
#include "bridge/devhub/query.h"

namespace atomemo::devhub {
namespace {

TEST(PluginTopicTest, ReadsDebugAndReleaseTopics) {
  const auto debug = ParsePluginTopic(HubMode::kDebug, "debug_plugin:p1");
  ASSERT_TRUE(debug);
  EXPECT_EQ(debug->name, "p1");
  const auto release = ParsePluginTopic(HubMode::kRelease, "release_plugin:p1__release__1.0.0");
  ASSERT_TRUE(release);
  EXPECT_EQ(release->name, "p1");
  EXPECT_EQ(release->version, "1.0.0");
  EXPECT_EQ(FormatPluginTopic(*release), "release_plugin:p1__release__1.0.0");
}

TEST(PluginTopicTest, RefusesWhatTheSocketDoesNotServe) {
  EXPECT_FALSE(ParsePluginTopic(HubMode::kRelease, "debug_plugin:p1"));
  EXPECT_FALSE(ParsePluginTopic(HubMode::kDebug, "debug_plugin:"));
  EXPECT_FALSE(ParsePluginTopic(HubMode::kRelease, "release_plugin:p1"));
  EXPECT_FALSE(ParsePluginTopic(HubMode::kRelease, "release_plugin:__release__1"));
  EXPECT_FALSE(ParsePluginTopic(HubMode::kRelease, "release_plugin:p1__release__"));
}

TEST(HostPolicyTest, AllowsLoopbackAndConfiguredNamesWithAnyPort) {
  const HostPolicy policy({"Hub"});
  for (const char* host :
       {"localhost", "LOCALHOST:4000", "127.0.0.1:1", "[::1]:4000", "hub:4000"}) {
    EXPECT_TRUE(policy.AllowsHost(host)) << host;
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example"}) {
    EXPECT_FALSE(policy.AllowsHost(host)) << host;
  }
}

TEST(HostPolicyTest, AllowsNoForeignOrigin) {
  const HostPolicy policy({});
  EXPECT_TRUE(policy.AllowsOrigin(""));
  EXPECT_TRUE(policy.AllowsOrigin("http://localhost:4000"));
  EXPECT_FALSE(policy.AllowsOrigin("https://evil.example"));
  EXPECT_FALSE(policy.AllowsOrigin("null"));
}

TEST(QueryTest, DecodesNamesAndValues) {
  const Query query = ParseQuery("a=1&b=x%20y+z&c&a=2&%64=%zz&e=%4");
  EXPECT_EQ(query, (Query{{"a", "2"}, {"b", "x y z"}, {"c", ""}, {"d", "%zz"}, {"e", "%4"}}));
}

TEST(JsonMembersTest, FindsAMemberWithoutChangingItsText) {
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

TEST(JsonMembersTest, PutsTheRequestIdFirst) {
  EXPECT_EQ(WithRequestId("{}", "a\""), R"({"request_id":"a\""})");
  EXPECT_EQ(WithRequestId(" { \"x\":1}", "a"), R"({"request_id":"a","x":1})");
}

}  // namespace
}  // namespace atomemo::devhub
