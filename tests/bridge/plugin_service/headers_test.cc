// Streams are accepted at once: libraries that wait for headers get them before any message.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/plugin_service/rpcs.h"
#include "tests/bridge/plugin_service/raw_stream.h"

namespace atomemo::plugin_service {
namespace {

class HeadersTest : public ServiceTest, public ::testing::WithParamInterface<const char*> {
 protected:
  static std::string Method() {
    return absl::StrCat("/atomemo.plugin.v1.PluginService/", GetParam());
  }
};

INSTANTIATE_TEST_SUITE_P(Streams, HeadersTest,
                         ::testing::Values("OpenSession", "Authenticate", "AuthorizeOAuth2",
                                           "Invoke", "ListResources", "MapResource", "UploadFile",
                                           "DownloadFile"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(HeadersTest, ComeBeforeThePluginHasSaidAnything) {
  StartServer();
  RawStream stream(NewChannel(), Method());
  EXPECT_TRUE(stream.ReadHeaders());
}

TEST_P(HeadersTest, ComeWhileTheIoThreadIsBusy) {
  StartServer();
  const BlockedIo blocked(io_);
  RawStream stream(NewChannel(), Method());
  ASSERT_TRUE(stream.Write(""));
  EXPECT_TRUE(stream.ReadHeaders());
}

class WatchHeadersTest : public ServiceTest {};

TEST_F(WatchHeadersTest, ComeAtOnce) {
  StartServer();
  RawStream stream(NewChannel(), kHealthWatchMethod);
  EXPECT_TRUE(stream.ReadHeaders());
}

}  // namespace
}  // namespace atomemo::plugin_service
