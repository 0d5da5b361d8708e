#include "bridge/cli/serve_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "bridge/cli/flag_types.h"
#include "bridge/hub/proxy.h"

namespace atomemo::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ServeFlagsTest : public ::testing::Test {
 protected:
  ServeFlagsTest() {
    for (const char* name : {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY",
                             "all_proxy", "NO_PROXY", "no_proxy", "ATOMEMO_BRIDGE_SOCKET"}) {
      unsetenv(name);
    }
  }

  // What comes of `serve` with these flags and those that it needs.
  absl::StatusOr<AppOptions> Resolve(std::vector<std::string> flags) {
    const std::vector<std::string> needed = {"--hub-ws-url", "wss://hub.example", "--debug-api-key",
                                             "key"};
    flags.insert(flags.begin(), needed.begin(), needed.end());
    CLI::App app;
    ServeFlags serve;
    serve.AddTo(app, /*with_hub=*/true);
    std::vector<std::string> reversed(flags.rbegin(), flags.rend());  // as CLI11 wants them
    try {
      app.parse(reversed);
    } catch (const CLI::ParseError& error) {
      return absl::InvalidArgumentError(error.what());
    }
    return serve.Resolve();
  }
  std::string Proxy(std::vector<std::string> flags) {
    const absl::StatusOr<AppOptions> options = Resolve(std::move(flags));
    if (!options.ok()) return std::string(options.status().message());
    return options->websocket.proxy ? hub::FormatProxy(*options->websocket.proxy) : "none";
  }
  std::string Socket(std::vector<std::string> flags) {
    const absl::StatusOr<AppOptions> options = Resolve(std::move(flags));
    return options.ok() ? options->plugin_server.socket.path
                        : std::string(options.status().message());
  }
};

TEST_F(ServeFlagsTest, TheHubsProxyIsTheEnvironmentsUnlessAFlagNamesOne) {
  EXPECT_EQ(Proxy({}), "none");
  setenv("HTTPS_PROXY", "http://u:p@proxy.example:3128", 1);
  EXPECT_EQ(Proxy({}), "proxy.example:3128");
  EXPECT_EQ(Proxy({"--hub-proxy", "http://other:8080"}), "other:8080");
  setenv("NO_PROXY", "*", 1);
  EXPECT_EQ(Proxy({}), "none");
  EXPECT_EQ(Proxy({"--hub-proxy", "other:8080"}), "other:8080");
}

TEST_F(ServeFlagsTest, TheEnvironmentsProxyCanBeTurnedOff) {
  setenv("HTTPS_PROXY", "http://proxy.example:3128", 1);
  EXPECT_EQ(Proxy({"--hub-proxy", "none"}), "none");
  EXPECT_EQ(Proxy({"--hub-proxy", ""}), "none");
}

TEST_F(ServeFlagsTest, AnUnusableProxyIsRefusedAtTheStartWithoutItsPassword) {
  EXPECT_THAT(Proxy({"--hub-proxy", "socks5://u:s3cret@p:1080"}),
              AllOf(HasSubstr("--hub-proxy"), HasSubstr("SOCKS"), Not(HasSubstr("s3cret"))));
  setenv("HTTPS_PROXY", "https://u:s3cret@p:1080", 1);
  EXPECT_THAT(Proxy({}), AllOf(HasSubstr("HTTPS_PROXY"), Not(HasSubstr("s3cret"))));
}

TEST_F(ServeFlagsTest, TheSocketMayBeGivenAsPluginsAreGivenIt) {
  EXPECT_EQ(Socket({"--socket", "/run/b.sock"}), "/run/b.sock");
  EXPECT_EQ(Socket({"--socket", "unix:/run/b.sock"}), "/run/b.sock");
  setenv("ATOMEMO_BRIDGE_SOCKET", "unix:///run/e.sock", 1);
  EXPECT_EQ(Socket({}), "/run/e.sock");
  EXPECT_EQ(Resolve({})->journal_path, "/run/e.journal");
  setenv("ATOMEMO_BRIDGE_SOCKET", "bridge:7100", 1);
  EXPECT_THAT(Socket({}), HasSubstr("--tcp"));
}

TEST_F(ServeFlagsTest, NamesTheAuthorOfPluginsThatHaveNone) {
  setenv("ATOMEMO_AUTHOR", "Eva", 1);
  const absl::StatusOr<AppOptions> options = Resolve({"--email", "eva@example.com"});
  unsetenv("ATOMEMO_AUTHOR");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->plugin_server.default_texts.author, "Eva");
  EXPECT_EQ(options->plugin_server.default_texts.email, "eva@example.com");
  EXPECT_THAT(std::string(Resolve({"--email", "eva"}).status().message()),
              HasSubstr("--email: it has no @"));
}

TEST_F(ServeFlagsTest, TheJournalIsSyncedOnlyWhenAsked) {
  EXPECT_FALSE(Resolve({})->journal_sync);
  EXPECT_TRUE(Resolve({"--journal-sync"})->journal_sync);
}

TEST(SocketPathTest, IsAPathOrAGrpcTargetOfOne) {
  EXPECT_EQ(*ParseSocketPath("b.sock"), "b.sock");
  EXPECT_EQ(*ParseSocketPath("unix:b.sock"), "b.sock");
  EXPECT_EQ(*ParseSocketPath("/run/a:1/b.sock"), "/run/a:1/b.sock");
  EXPECT_EQ(*ParseSocketPath("unix:/run/a:1"), "/run/a:1");
  for (const char* text : {"unix:", "unix://run/b.sock", "127.0.0.1:7100", "[::1]:7100",
                           "dns:///b:1", "unix-abstract:b", "http://b/"}) {
    EXPECT_FALSE(ParseSocketPath(text).ok()) << text;
  }
}

}  // namespace
}  // namespace atomemo::cli
