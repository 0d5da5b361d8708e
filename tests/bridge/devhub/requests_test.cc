#include <gtest/gtest.h>

#include "bridge/devhub/host_policy.h"
#include "bridge/devhub/query.h"

namespace atomemo::devhub {
namespace {

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

}  // namespace
}  // namespace atomemo::devhub
