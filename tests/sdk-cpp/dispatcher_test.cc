#include "sdk-cpp/src/dispatcher.h"

#include <cmath>
#include <exception>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atomemo/plugin.h"
#include "atomemo/testing/fake_bridge.h"

namespace atomemo {
namespace {

using ::testing::HasSubstr;

Plugin PluginWith(InvokeHandler handler) {
  Plugin plugin(PluginInfo("test-plugin"));
  plugin.AddTool(Tool("tool").Invoke(std::move(handler)));
  return plugin;
}

ErrorAnswer ErrorOf(InvokeHandler handler) {
  const Plugin plugin = PluginWith(std::move(handler));
  return DescribeError(testing::FakeBridge(plugin).Invoke("tool", Json::object()).status());
}

TEST(DispatcherTest, AnExceptionBecomesAnErrorWithItsType) {
  const ErrorAnswer error =
      ErrorOf([](const Call&) -> absl::StatusOr<Json> { throw std::out_of_range("too far"); });
  EXPECT_EQ(error.code, "sdk:exception");
  EXPECT_EQ(error.name, "std::out_of_range");
  EXPECT_EQ(error.message, "too far");
}

TEST(DispatcherTest, WhatLedToAnExceptionIsTold) {
  const ErrorAnswer error = ErrorOf([](const Call&) -> absl::StatusOr<Json> {
    try {
      try {
        throw 7;
      } catch (...) {
        std::throw_with_nested(std::out_of_range("too far"));
      }
    } catch (...) {
      std::throw_with_nested(std::runtime_error("no weather"));
    }
  });
  EXPECT_EQ(error.code, "sdk:exception");
  EXPECT_EQ(error.name, "std::runtime_error");
  EXPECT_EQ(error.message, "no weather");
  ASSERT_EQ(error.causes.size(), 2u);
  EXPECT_EQ(error.causes[0].name, "std::out_of_range");
  EXPECT_EQ(error.causes[0].message, "too far");
  EXPECT_EQ(error.causes[1].name, "int");
}

TEST(DispatcherTest, WhatIsNoNumberIsNoAnswer) {
  const ErrorAnswer error = ErrorOf([](const Call&) -> absl::StatusOr<Json> {
    return Json{{"means", {1.5, std::nan("")}}};
  });
  EXPECT_EQ(error.code, "sdk:invalid_return");
  EXPECT_THAT(error.message, HasSubstr("at /means/1"));
  EXPECT_EQ(ErrorOf([](const Call&) -> absl::StatusOr<Json> { return HUGE_VAL; }).code,
            "sdk:invalid_return");
}

TEST(DispatcherTest, ACredentialWithoutHandlersIsNotUnknown) {
  Plugin plugin = PluginWith([](const Call&) -> absl::StatusOr<Json> { return nullptr; });
  plugin.AddCredential(Credential("key"));
  const auto answer = testing::FakeBridge(plugin).Authenticate("key", {});
  EXPECT_EQ(ErrorCode(answer.status()), "sdk:method_not_supported");
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("has no handlers"));
}

TEST(DispatcherTest, AnythingElseThatIsThrownIsCaughtToo) {
  const ErrorAnswer error = ErrorOf([](const Call&) -> absl::StatusOr<Json> { throw 7; });
  EXPECT_EQ(error.code, "sdk:exception");
  EXPECT_EQ(error.name, "int");
}

TEST(DispatcherTest, AJsonMistakeInAHandlerIsAnError) {
  const ErrorAnswer error = ErrorOf([](const Call& call) -> absl::StatusOr<Json> {
    return call.parameters().at("missing").get<std::string>();
  });
  EXPECT_THAT(error.name, HasSubstr("out_of_range"));
  EXPECT_THAT(error.message, HasSubstr("missing"));
}

TEST(DispatcherTest, AnErrorKeepsItsOwnCode) {
  EXPECT_EQ(ErrorOf([](const Call&) -> absl::StatusOr<Json> {
              return Error("weather:unknown_city", "no such city");
            }).code,
            "weather:unknown_city");
}

TEST(DispatcherTest, UnknownTargetsAreTold) {
  Plugin plugin = PluginWith([](const Call&) -> absl::StatusOr<Json> { return nullptr; });
  plugin.AddCredential(Credential("key"));
  testing::FakeBridge bridge(plugin);
  EXPECT_EQ(ErrorCode(bridge.Invoke("other", {}).status()), "sdk:tool_not_found");
  EXPECT_EQ(ErrorCode(bridge.ListResources("tool", "none").status()), "sdk:method_not_supported");
  EXPECT_EQ(ErrorCode(bridge.Authenticate("other", {}).status()), "sdk:credential_not_found");
}

TEST(DispatcherTest, AuthenticateMustAnswerWithAnObject) {
  Plugin plugin(PluginInfo("test-plugin"));
  plugin.AddCredential(Credential("key").Authenticate(
      [](const CredentialCall&) -> absl::StatusOr<Json> { return "ok"; }));
  const auto answer = testing::FakeBridge(plugin).Authenticate("key", {});
  EXPECT_EQ(ErrorCode(answer.status()), "sdk:invalid_return");
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("string"));
}

TEST(DispatcherTest, AModelsCredentialAnswersWithAnAdapter) {
  Plugin plugin(PluginInfo("test-plugin"));
  plugin.AddCredential(
      Credential("key").Authenticate([](const CredentialCall& call) -> absl::StatusOr<Json> {
        return LlmAdapter{LlmAdapter::Kind::kDeepSeek, call.credential().at("api_key")};
      }));
  const auto answer = testing::FakeBridge(plugin).Authenticate("key", {{"api_key", "k"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, (Json{{"adapter", "deepseek"}, {"api_key", "k"}}));
}

}  // namespace
}  // namespace atomemo
