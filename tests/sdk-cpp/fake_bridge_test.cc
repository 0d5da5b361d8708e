#include "atomemo/testing/fake_bridge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atomemo {
namespace {

using testing::CallOptions;
using ::testing::ElementsAre;
using testing::FakeBridge;
using ::testing::HasSubstr;

Plugin PluginWith(InvokeHandler handler) {
  Plugin plugin(PluginInfo("test-plugin"));
  plugin.AddTool(Tool("tool").Invoke(std::move(handler)));
  return plugin;
}

// Counts the seconds until nobody waits any more.
absl::StatusOr<Json> CountSeconds(const Call& call) {
  int seconds = 0;
  while (!call.WaitCancelled(absl::Seconds(1))) ++seconds;
  return seconds;
}

TEST(FakeBridgeTest, TimePassesOnlyWhileAHandlerWaits) {
  const Plugin plugin = PluginWith(&CountSeconds);
  FakeBridge bridge(plugin);
  EXPECT_EQ(*bridge.Invoke("tool", {}, CallOptions().TimeLeft(absl::Hours(1))), 3599);
  EXPECT_EQ(*bridge.Invoke("tool", {}, CallOptions().CancelAfter(absl::Seconds(5))), 4);
}

TEST(FakeBridgeTest, ACancelledCallKeepsItsTimeLeft) {
  const Plugin plugin = PluginWith([](const Call& call) -> absl::StatusOr<Json> {
    EXPECT_TRUE(call.WaitCancelled(absl::InfiniteDuration()));
    EXPECT_TRUE(call.cancelled());
    return absl::ToInt64Seconds(call.time_left());
  });
  FakeBridge bridge(plugin);
  EXPECT_EQ(*bridge.Invoke("tool", {}, CallOptions().CancelAfter(absl::Seconds(10))), 20);
}

TEST(FakeBridgeTest, AnswersHubCallsFromItsScript) {
  const Plugin plugin = PluginWith([](const Call& call) {
    return call.InvokeLlm(LlmConfig{{{"model", "m1"}}}, Json::array({"hi"}));
  });
  FakeBridge bridge(plugin);
  EXPECT_EQ(bridge.Invoke("tool", {}).status().code(), absl::StatusCode::kUnimplemented);
  bridge.OnCallHub("invoke_llm", [](const Json& data) -> absl::StatusOr<Json> {
    return "answer of " + data.at("llm_config").at("model").get<std::string>();
  });
  EXPECT_EQ(*bridge.Invoke("tool", {}, CallOptions().Context({{"organization_id", "o1"}})),
            "answer of m1");
  EXPECT_EQ(bridge.hub_calls().back().data.at("organization_id"), "o1");
}

TEST(FakeBridgeTest, StoresFiles) {
  const Plugin plugin = PluginWith([](const Call& call) -> absl::StatusOr<Json> {
    const auto photo = call.Get<FileRef>("photo");
    if (!photo.ok()) return photo.status();
    const auto file = call.DownloadFile(*photo);
    if (!file.ok()) return file.status();
    const auto copy = call.UploadFile({"copy.png", "image/png", file->content + "!", "copies/"});
    if (!copy.ok()) return copy.status();
    return *copy;
  });
  FakeBridge bridge(plugin);
  const auto answer =
      bridge.Invoke("tool", {{"photo", bridge.StoreFile("a.png", "image/png", "bytes")}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->at("res_key").get<std::string>(), HasSubstr("copies/"));
  EXPECT_EQ(*bridge.StoredFile(answer->at("res_key").get<std::string>()), "bytes!");
}

TEST(FakeBridgeTest, ASinkCanEndADownload) {
  const Plugin plugin = PluginWith([](const Call& call) -> absl::StatusOr<Json> {
    return call
        .DownloadFile(FileRef::FromBytes("a", "text/plain", "bytes"),
                      [](absl::string_view) { return absl::ResourceExhaustedError("enough"); })
        .status();
  });
  EXPECT_EQ(FakeBridge(plugin).Invoke("tool", {}).status(), absl::ResourceExhaustedError("enough"));
}

TEST(FakeBridgeTest, RecordsLogLines) {
  const Plugin plugin = PluginWith([](const Call& call) -> absl::StatusOr<Json> {
    call.Log("half done");
    return nullptr;
  });
  FakeBridge bridge(plugin);
  ASSERT_TRUE(bridge.Invoke("tool", {}).ok());
  EXPECT_THAT(bridge.log_lines(), ElementsAre(HasSubstr("half done")));
}

TEST(FakeBridgeTest, RefusesAPluginWhoseHandlersDoNotFit) {
  Plugin plugin(PluginInfo("test-plugin"));
  plugin.AddTool(Tool("tool"));
  EXPECT_EQ(FakeBridge(plugin).Invoke("tool", {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace atomemo
