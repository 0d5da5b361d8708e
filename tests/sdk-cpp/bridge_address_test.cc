#include "sdk-cpp/src/bridge_address.h"

#include <unistd.h>

#include <map>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atomemo::internal {
namespace {

using ::testing::HasSubstr;

Environment With(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto it = variables.find(name);
    return it == variables.end() ? "" : it->second;
  };
}

TEST(BridgeTargetTest, PathsBecomeUnixTargets) {
  const Environment none = With({});
  EXPECT_EQ(*BridgeTarget("/run/b.sock", none), "unix:/run/b.sock");
  EXPECT_EQ(*BridgeTarget("b.sock", none), "unix:b.sock");
  EXPECT_EQ(*BridgeTarget("unix:/run/b.sock", none), "unix:/run/b.sock");
  EXPECT_EQ(*BridgeTarget("unix:///run/b.sock", none), "unix:/run/b.sock");
  EXPECT_EQ(*BridgeTarget("/run/a:1/b.sock", none), "unix:/run/a:1/b.sock");
}

TEST(BridgeTargetTest, NetworkTargetsStayAsTheyAre) {
  for (const char* target : {"bridge:7100", "127.0.0.1:7100", "[::1]:7100", "dns:///bridge:7100"}) {
    EXPECT_EQ(*BridgeTarget(target, With({})), target);
  }
}

TEST(BridgeTargetTest, TheEnvironmentDecidesInOrder) {
  const std::map<std::string, std::string> all = {{"ATOMEMO_BRIDGE_SOCKET", "/run/b.sock"},
                                                  {"XDG_RUNTIME_DIR", "/run/user/7"}};
  EXPECT_EQ(*BridgeTarget("", With(all)), "unix:/run/b.sock");
  EXPECT_EQ(*BridgeTarget("", With({{"XDG_RUNTIME_DIR", "/run/user/7"}})),
            "unix:/run/user/7/atomemo/bridge.sock");
  EXPECT_EQ(*BridgeTarget("", With({})),
            "unix:/tmp/atomemo-" + std::to_string(getuid()) + "/bridge.sock");
}

TEST(BridgeTargetTest, AnOverLongPathIsRefused) {
  EXPECT_TRUE(BridgeTarget(std::string(107, 'x'), With({})).ok());
  const auto refused = BridgeTarget(std::string(108, 'x'), With({}));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("107"));
}

}  // namespace
}  // namespace atomemo::internal
