#include "atomemo/call.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atomemo/plugin.h"
#include "atomemo/testing/fake_bridge.h"

namespace atomemo {
namespace {

using ::testing::HasSubstr;

// Lets `look` see a call with these parameters.
void WithCall(const Json& parameters, std::function<void(const Call&)> look,
              const testing::CallOptions& options = testing::CallOptions()) {
  Plugin plugin(PluginInfo("test-plugin"));
  plugin.AddTool(Tool("tool").Invoke([&look](const Call& call) -> absl::StatusOr<Json> {
    look(call);
    return nullptr;
  }));
  const auto answer = testing::FakeBridge(plugin).Invoke("tool", parameters, options);
  ASSERT_TRUE(answer.ok()) << answer.status();
}

template <typename T>
std::string ErrorOf(const absl::StatusOr<T>& value) {
  return std::string(value.status().message());
}

TEST(CallGetTest, ReadsEveryType) {
  WithCall({{"s", "x"}, {"b", true}, {"i", 7}, {"whole", 7.0}, {"d", 0.5}, {"big", 1ULL << 62}},
           [](const Call& call) {
             EXPECT_EQ(*call.Get<std::string>("s"), "x");
             EXPECT_EQ(*call.Get<bool>("b"), true);
             EXPECT_EQ(*call.Get<int>("i"), 7);
             EXPECT_EQ(*call.Get<int>("whole"), 7);
             EXPECT_EQ(*call.Get<double>("i"), 7.0);
             EXPECT_EQ(*call.Get<double>("d"), 0.5);
             EXPECT_EQ(*call.Get<std::int64_t>("big"), std::int64_t{1} << 62);
             EXPECT_EQ(*call.Get<Json>("s"), "x");
           });
}

TEST(CallGetTest, NamesTheParameterThatDoesNotFit) {
  WithCall({{"n", 7}, {"half", 0.5}, {"huge", 1e300}, {"big", 1ULL << 63}, {"null", nullptr}},
           [](const Call& call) {
             EXPECT_EQ(ErrorOf(call.Get<std::string>("n")),
                       "parameter `n` must be a string, found number");
             EXPECT_EQ(ErrorOf(call.Get<std::string>("none")), "parameter `none` is missing");
             EXPECT_EQ(ErrorOf(call.Get<std::string>("null")), "parameter `null` is missing");
             EXPECT_FALSE(call.Get<int>("half").ok());
             EXPECT_FALSE(call.Get<std::int64_t>("huge").ok());
             EXPECT_FALSE(call.Get<std::int64_t>("big").ok());
             EXPECT_FALSE(call.Get<int>("big").ok());
             EXPECT_FALSE(call.Get<bool>("n").ok());
             EXPECT_THAT(ErrorOf(call.Get<FileRef>("n")), HasSubstr("`n`: not a file_ref"));
           });
}

TEST(CallGetTest, FallsBackOnlyForWhatIsMissing) {
  WithCall({{"n", 7}, {"null", nullptr}}, [](const Call& call) {
    EXPECT_EQ(*call.GetOr<int>("n", 1), 7);
    EXPECT_EQ(*call.GetOr<int>("none", 1), 1);
    EXPECT_EQ(*call.GetOr<int>("null", 1), 1);
    EXPECT_FALSE(call.GetOr<std::string>("n", "x").ok());
  });
}

TEST(CallGetTest, ReadsTypedValuesAtAnyDepth) {
  const FileRef photo = FileRef::FromBytes("a.png", "image/png", "png");
  const ResourceLocator place{"list", "berlin"};
  WithCall({{"rows", {{{"photo", photo}}}}, {"place", place}}, [](const Call& call) {
    EXPECT_EQ(call.Get<FileRef>("/rows/0/photo")->content, "png");
    EXPECT_EQ(call.Get<ResourceLocator>("place")->value, "berlin");
    EXPECT_FALSE(call.Get<FileRef>("/rows/1/photo").ok());
  });
}

TEST(CallTest, FindsACredentialByParameterAndByName) {
  WithCall(
      {{"credential_id", "cred_1"}},
      [](const Call& call) {
        EXPECT_EQ(call.Credential("credential_id")->at("key"), "a");
        EXPECT_EQ(call.Credential("api-key")->at("key"), "b");
        EXPECT_EQ(call.Credential("other").status().code(), absl::StatusCode::kNotFound);
      },
      testing::CallOptions()
          .Credential("cred_1", {{"key", "a"}})
          .Credential("api-key", {{"key", "b"}}));
}

TEST(CallTest, TellsWhoCalls) {
  WithCall(
      {},
      [](const Call& call) {
        EXPECT_EQ(call.organization_id(), "org_1");
        EXPECT_FALSE(call.request_id().empty());
        EXPECT_EQ(call.name(), "tool");
      },
      testing::CallOptions().Context({{"organization_id", "org_1"}}));
  WithCall({}, [](const Call& call) { EXPECT_EQ(call.organization_id(), ""); });
}

}  // namespace
}  // namespace atomemo
