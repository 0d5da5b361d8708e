// A resolver that never answers holds up nothing: neither calls, nor the end of the bridge.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <unistd.h>

#include <atomic>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "bridge/cli/health_command.h"
#include "bridge/http/transfer.h"
#include "bridge/hub/hub_url.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/wait.h"

namespace {

constexpr absl::string_view kHangingDomain = ".hanging.test";
std::atomic<int> hanging{0};

}  // namespace

// In the place of the C library's, for everything in this process.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  if (node != nullptr && absl::EndsWith(node, kHangingDomain)) {
    ++hanging;
    for (;;) pause();
  }
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, result);
}

namespace atomemo::integration {
namespace {

class HangingNamesTest : public BridgeFixture {
 protected:
  std::string Health() const {
    cli::HealthOptions options;
    options.socket = socket();
    std::ostringstream text;
    cli::RunHealth(options, text, text);
    return text.str();
  }
};

TEST_F(HangingNamesTest, TheBridgeEndsWhileItLooksUpTheHub) {
  options_.hub.url = *hub::ParseHubUrl("ws://hub.hanging.test:4000");
  options_.websocket.connect_timeout = absl::Milliseconds(50);
  bridge_ = std::make_unique<App>(options_);
  ASSERT_TRUE(bridge_->Start().ok());
  // More than one attempt, so that look-ups of earlier ones are stuck as well.
  EXPECT_TRUE(WaitUntil(
      [this] { return absl::StrContains(Health(), "look-up of the host hub.hanging.test"); }));
  EXPECT_GT(hanging, 0);
  EXPECT_TRUE(bridge_->Stop().ok());  // else it hangs
  bridge_.reset();
}

TEST(HangingTransferTest, AFileWhoseHostIsLookedUpCanBeGivenUp) {
  const int before = hanging;
  std::atomic<bool> cancelled{false};
  std::thread watch([&] {
    EXPECT_TRUE(WaitUntil([&] { return hanging > before; }));
    cancelled = true;
  });
  http::TransferControl control;
  control.is_cancelled = [&] { return cancelled.load(); };
  const absl::Status status = http::Download(
      "http://files.hanging.test/f", 1000, control,
      [](const http::ResponseInfo&) { return absl::OkStatus(); },
      [](absl::string_view) { return absl::OkStatus(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  watch.join();
}

}  // namespace
}  // namespace atomemo::integration
