#include "atomemo/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atomemo/answers.h"

namespace atomemo {
namespace {

using ::testing::HasSubstr;

TEST(FileRefTest, ReadsWhatTheHubSendsLeniently) {
  const auto file = FileRef::FromJson(
      {{"__type__", "file_ref"}, {"source", "oss"}, {"res_key", "k"}, {"size", nullptr}});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->source, FileRef::Source::kOss);
  EXPECT_EQ(file->res_key, "k");
  EXPECT_EQ(file->size, std::nullopt);
}

TEST(FileRefTest, ContentIsDecoded) {
  const auto file = FileRef::FromJson(
      {{"__type__", "file_ref"}, {"source", "mem"}, {"content", "aGk="}, {"size", 2.0}});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->content, "hi");
  EXPECT_EQ(file->size, 2);
}

TEST(FileRefTest, SaysWhatIsWrong) {
  const auto message = [](const Json& json) {
    return std::string(FileRef::FromJson(json).status().message());
  };
  EXPECT_THAT(message("x"), HasSubstr("expected an object, found string"));
  EXPECT_THAT(message({{"__type__", "llm_config"}}), HasSubstr("llm_config"));
  EXPECT_THAT(message({{"source", "ftp"}}), HasSubstr("\"oss\" or \"mem\""));
  EXPECT_THAT(message({{"source", "oss"}, {"filename", 7}}), HasSubstr("`filename`"));
  EXPECT_THAT(message({{"source", "mem"}, {"content", "!"}}), HasSubstr("base64"));
  EXPECT_THAT(message({{"source", "oss"}, {"size", "big"}}), HasSubstr("`size`"));
}

TEST(FileRefTest, WritesAllNineMembersAndReadsThemBack) {
  const FileRef file = FileRef::FromBytes("a.tar.gz", "application/gzip", "bytes");
  const Json json = file;
  EXPECT_EQ(json.size(), 9u);
  EXPECT_EQ(json.at("extension"), ".gz");
  EXPECT_EQ(json.at("content"), "Ynl0ZXM=");
  EXPECT_EQ(Json(*FileRef::FromJson(json)), json);
}

TEST(ResourceLocatorTest, RoundTrips) {
  const Json json = {{"__type__", "resource_locator"},
                     {"mode_name", "list"},
                     {"value", "berlin"},
                     {"cached_result_label", "Berlin"}};
  EXPECT_EQ(Json(*ResourceLocator::FromJson(json)), json);
  EXPECT_FALSE(ResourceLocator::FromJson({{"value", "berlin"}}).ok());
}

TEST(ResourceMapperTest, KeepsItsValueWhateverItIs) {
  for (const Json& value : {Json{{"a", 1}}, Json("= expression"), Json(nullptr)}) {
    const Json json = {
        {"__type__", "resource_mapper"}, {"mapping_mode", "manual"}, {"value", value}};
    EXPECT_EQ(Json(*ResourceMapper::FromJson(json)), json);
  }
}

TEST(LlmConfigTest, IsTypedAndKeepsTheRest) {
  const Json json = {{"__type__", "llm_config"},
                     {"plugin_slug", "p"},
                     {"version_slug", "v"},
                     {"model", "m"},
                     {"more", {1, 2}},
                     {"credential_instance_id", nullptr},
                     {"model_params", {{"temperature", 0.2}}}};
  absl::StatusOr<LlmConfig> config = LlmConfig::FromJson(json);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->plugin_slug, "p");
  EXPECT_EQ(config->version_slug, "v");
  EXPECT_EQ(config->model, "m");
  EXPECT_EQ(config->credential_instance_id, std::nullopt);
  EXPECT_EQ(config->model_params, (Json{{"temperature", 0.2}}));
  EXPECT_EQ(Json(*config), json);
  config->model = "m2";
  EXPECT_EQ(Json(*config).at("model"), "m2");
  EXPECT_EQ(Json(*config).at("more"), (Json{1, 2}));
  EXPECT_THAT(LlmConfig::FromJson({{"model", 7}}).status().message(), HasSubstr("`model`"));
}

TEST(LlmAdapterTest, IsTheAnswerThatTheHubExpects) {
  const Json json = LlmAdapter{
      LlmAdapter::Kind::kGoogleAi, "key", "https://llm.example", "m1", {{"x-team", "a"}}};
  EXPECT_EQ(json, Json::parse(R"({"adapter":"google_ai","api_key":"key","model":"m1",
                                  "endpoint":"https://llm.example","headers":{"x-team":"a"}})"));
  EXPECT_EQ(Json(LlmAdapter{LlmAdapter::Kind::kAnthropic, "k"}),
            Json::parse(R"({"adapter":"anthropic","api_key":"k"})"));
}

}  // namespace
}  // namespace atomemo
