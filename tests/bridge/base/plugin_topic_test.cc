#include "bridge/base/plugin_topic.h"

#include <gtest/gtest.h>

namespace atomemo::base {
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

}  // namespace
}  // namespace atomemo::base
