#include "bridge/hub/proxy.h"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <utility>

namespace atomemo::hub {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(absl::string_view url) {
  const absl::StatusOr<Proxy> proxy = ParseProxy(url);
  return proxy.ok() ? FormatProxy(*proxy) : std::string(proxy.status().message());
}

TEST(ParseProxyTest, FillsInWhatIsLeftAway) {
  EXPECT_EQ(Text("http://Proxy.example:3128"), "proxy.example:3128");
  EXPECT_EQ(Text("HTTP://proxy.example:3128/"), "proxy.example:3128");
  EXPECT_EQ(Text("proxy.example:3128"), "proxy.example:3128");
  EXPECT_EQ(Text(" http://proxy.example "), "proxy.example:80");
  EXPECT_EQ(Text("http://[2001:DB8::1]:3128"), "[2001:db8::1]:3128");
  EXPECT_EQ(Text("http://10.0.0.1"), "10.0.0.1:80");
}

TEST(ParseProxyTest, DecodesCredentials) {
  const Proxy proxy = *ParseProxy("http://us%40er:p%3Aa%2Fs:s%@proxy:3128");
  EXPECT_EQ(proxy.user, "us@er");
  EXPECT_EQ(proxy.password, "p:a/s:s%");
  EXPECT_EQ(FormatProxy(proxy), "proxy:3128");
  EXPECT_EQ(ParseProxy("user@proxy:3128")->user, "user");
  // What should have been encoded, and is not.
  EXPECT_EQ(ParseProxy("http://u:p@s/s@proxy:3128")->password, "p@s/s");
}

TEST(ParseProxyTest, SaysWhatIsWrongAndQuotesNothing) {
  const struct {
    const char* url;
    const char* what;
  } kCases[] = {{"https://u:s3cret@p:3128", "http://"}, {"socks5://u:s3cret@p:1080", "SOCKS"},
                {"ftp://u:s3cret@p:3128", "http://"},   {"http://u:s3cret@p:99999", "port"},
                {"http://u:s3cret@p:x", "port"},        {"http://u:s3cret@", "host"},
                {"http://u:s3cret@[::1", "'['"},        {"http://u:s3cret@p:3128/path", "behind"},
                {"http://a%3Ab:s3cret@p:3128", "user"}, {"", "host"}};
  for (const auto& test : kCases) {
    EXPECT_THAT(Text(test.url), AllOf(HasSubstr(test.what), Not(HasSubstr("s3cret")))) << test.url;
  }
}

TEST(NoProxyTest, KnowsDomainsAndWhatIsBelowThem) {
  for (const char* list : {"example.com", ".example.com", "*.example.com", "EXAMPLE.com.",
                           "a, example.com ,b", "a example.com", "*", "example.com:443"}) {
    EXPECT_TRUE(NoProxyHas(list, "hub.example.com", 443)) << list;
    EXPECT_TRUE(NoProxyHas(list, "Hub.Example.com.", 443)) << list;
  }
  for (const char* list : {"", "ample.com", "other.com", "example.com:80", "hub", ",,"}) {
    EXPECT_FALSE(NoProxyHas(list, "hub.example.com", 443)) << list;
  }
  EXPECT_TRUE(NoProxyHas("example.com", "example.com", 443));
}

TEST(NoProxyTest, KnowsAddressesAndNetworks) {
  for (const char* list : {"10.1.2.3", "10.0.0.0/8", "10.1.2.3:443", "*"}) {
    EXPECT_TRUE(NoProxyHas(list, "10.1.2.3", 443)) << list;
  }
  for (const char* list : {"10.1.2.4", "11.0.0.0/8", "10.1.2.3:80", "2.3", "10.0.0.0/99"}) {
    EXPECT_FALSE(NoProxyHas(list, "10.1.2.3", 443)) << list;
  }
  for (const char* list : {"2001:db8::1", "[2001:DB8::1]", "[2001:db8::1]:443", "2001:db8::/32"}) {
    EXPECT_TRUE(NoProxyHas(list, "2001:db8::1", 443)) << list;
  }
  EXPECT_FALSE(NoProxyHas("2001:db9::/32", "2001:db8::1", 443));
  EXPECT_FALSE(NoProxyHas("10.0.0.0/8", "hub.example.com", 443));
}

class ProxyFromEnvironmentTest : public ::testing::Test {
 protected:
  std::string For(const char* hub_url, std::map<std::string, std::string> variables) {
    const auto proxy = ProxyFromEnvironment(*ParseHubUrl(hub_url), [&](const char* name) {
      return variables.count(name) > 0 ? variables[name] : "";
    });
    if (!proxy.ok()) return std::string(proxy.status().message());
    return *proxy ? FormatProxy(**proxy) : "none";
  }
};

TEST_F(ProxyFromEnvironmentTest, TheSchemeDecides) {
  const std::map<std::string, std::string> both = {{"HTTPS_PROXY", "http://s:1"},
                                                   {"HTTP_PROXY", "http://p:2"}};
  EXPECT_EQ(For("wss://hub.example", both), "s:1");
  EXPECT_EQ(For("ws://hub.example", both), "p:2");
  EXPECT_EQ(For("ws://hub.example", {{"HTTPS_PROXY", "http://s:1"}}), "none");
  EXPECT_EQ(For("ws://hub.example", {}), "none");
}

TEST_F(ProxyFromEnvironmentTest, AllProxyIsTheLastResortAndLowerCaseWins) {
  EXPECT_EQ(For("wss://hub.example", {{"ALL_PROXY", "http://a:1"}}), "a:1");
  EXPECT_EQ(For("wss://hub.example", {{"ALL_PROXY", "http://a:1"}, {"HTTPS_PROXY", "http://s:1"}}),
            "s:1");
  EXPECT_EQ(
      For("wss://hub.example", {{"https_proxy", "http://l:1"}, {"HTTPS_PROXY", "http://s:1"}}),
      "l:1");
}

TEST_F(ProxyFromEnvironmentTest, ARequestsProxyHeaderIsNotTakenForOne) {
  EXPECT_EQ(For("ws://hub.example", {{"HTTP_PROXY", "http://p:2"}, {"REQUEST_METHOD", "GET"}}),
            "none");
}

TEST_F(ProxyFromEnvironmentTest, NoProxyAndThisMachineNeedNone) {
  EXPECT_EQ(For("wss://hub.example", {{"HTTPS_PROXY", "http://s:1"}, {"NO_PROXY", ".example"}}),
            "none");
  EXPECT_EQ(For("wss://hub.example", {{"HTTPS_PROXY", "http://s:1"}, {"no_proxy", "hub.example"}}),
            "none");
  for (const char* hub : {"ws://localhost:4000", "ws://127.0.0.1:4000", "ws://[::1]:4000"}) {
    EXPECT_EQ(For(hub, {{"HTTP_PROXY", "http://p:2"}, {"ALL_PROXY", "http://p:2"}}), "none") << hub;
  }
}

TEST_F(ProxyFromEnvironmentTest, AnUnusableOneIsNamedByItsVariable) {
  EXPECT_THAT(For("wss://hub.example", {{"all_proxy", "socks5://u:s3cret@p:1"}}),
              AllOf(HasSubstr("all_proxy"), HasSubstr("SOCKS"), HasSubstr("--hub-proxy"),
                    Not(HasSubstr("s3cret"))));
}

}  // namespace
}  // namespace atomemo::hub
