#include "bridge/hub/hub_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace atomemo::hub {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Normalised(absl::string_view text) {
  const absl::StatusOr<HubUrl> url = ParseHubUrl(text);
  return url.ok() ? FormatHubUrl(*url) : url.status().ToString();
}

std::string Error(absl::string_view text) {
  const absl::Status status = ParseHubUrl(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

TEST(HubUrlTest, PortsDefaultByScheme) {
  EXPECT_EQ(Normalised("ws://hub.example"), "ws://hub.example:80");
  EXPECT_EQ(Normalised("wss://hub.example"), "wss://hub.example:443");
  EXPECT_EQ(Normalised("wss://hub.example:4001"), "wss://hub.example:4001");
}

TEST(HubUrlTest, SchemeAndHostMayBeInUpperCase) {
  EXPECT_EQ(Normalised("WSS://Hub.Example/Path"), "wss://hub.example:443/Path");
}

TEST(HubUrlTest, HttpIsUnderstoodAsWebSockets) {
  EXPECT_EQ(Normalised("http://hub.example"), "ws://hub.example:80");
  EXPECT_EQ(Normalised("HTTPS://hub.example/path/"), "wss://hub.example:443/path");
}

TEST(HubUrlTest, PathIsKeptWithoutTrailingSlashes) {
  EXPECT_EQ(Normalised("ws://h/a/b//"), "ws://h:80/a/b");
  EXPECT_EQ(Normalised("ws://h:1/"), "ws://h:1");
}

TEST(HubUrlTest, SurroundingSpaceIsIgnored) { EXPECT_EQ(Normalised(" ws://h:1\n"), "ws://h:1"); }

TEST(HubUrlTest, Ipv6AddressesStandInBrackets) {
  EXPECT_EQ(Normalised("ws://[::1]:4000/x"), "ws://[::1]:4000/x");
  EXPECT_EQ(Normalised("wss://[FE80::1]"), "wss://[fe80::1]:443");
  EXPECT_THAT(Error("ws://[::1"), HasSubstr("']'"));
  EXPECT_THAT(Error("ws://[nonsense]"), HasSubstr("IPv6"));
}

TEST(HubUrlTest, ErrorsNameTheVariableAndTheRemedy) {
  EXPECT_THAT(Error("hub.example:4000"), AllOf(HasSubstr("HUB_WS_URL"), HasSubstr("no scheme")));
  EXPECT_THAT(Error("ftp://h"), HasSubstr("ws:// or wss://"));
  EXPECT_THAT(Error(""), HasSubstr("empty"));
  EXPECT_THAT(Error("ws://"), HasSubstr("no host"));
  EXPECT_THAT(Error("ws://:4000"), HasSubstr("no host"));
  EXPECT_THAT(Error("ws://h?x=1"), HasSubstr("query"));
  EXPECT_THAT(Error("ws://h/#f"), HasSubstr("fragment"));
  EXPECT_THAT(Error("ws://ho st"), HasSubstr("host name"));
  EXPECT_THAT(Error("ws://h/a b"), HasSubstr("percent-encoded"));
  EXPECT_THAT(Error("ws://" + std::string(300, 'h')), HasSubstr("253"));
}

TEST(HubUrlTest, PortMustBeANumberInRange) {
  for (const char* url : {"ws://h:", "ws://h:0", "ws://h:65536", "ws://h:4x", "ws://h:-1",
                          "ws://h: 80", "ws://[::1]80", "ws://h:99999999999"}) {
    EXPECT_THAT(Error(url), HasSubstr("port")) << url;
  }
}

TEST(HubUrlTest, AWholeSocketAddressIsRefusedWithAHint) {
  EXPECT_THAT(Error("ws://h/debug_socket"), HasSubstr("added by itself"));
  EXPECT_THAT(Error("ws://h/x/release_socket/websocket/"), HasSubstr("added by itself"));
}

TEST(HubUrlTest, UserInfoIsRefusedAndNotQuoted) {
  EXPECT_THAT(Error("ws://bob:s3cret@h"), AllOf(HasSubstr("password"), Not(HasSubstr("s3cret"))));
}

TEST(HubUrlTest, DebugSocketCarriesTheKeyPercentEncoded) {
  EXPECT_EQ(SocketUrl(*ParseHubUrl("wss://h/base/"), router::HubMode::kDebug, "a b&c=d/é~_"),
            "wss://h:443/base/debug_socket/websocket?api_key=a%20b%26c%3Dd%2F%C3%A9~_&vsn=2.0.0");
}

TEST(HubUrlTest, ReleaseSocketCarriesNoKey) {
  EXPECT_EQ(SocketUrl(*ParseHubUrl("ws://h:4000"), router::HubMode::kRelease, "key"),
            "ws://h:4000/release_socket/websocket?vsn=2.0.0");
}

}  // namespace
}  // namespace atomemo::hub
