#include "tests/integration/bridge_fixture.h"

#include "absl/strings/str_cat.h"
#include "bridge/hub/hub_url.h"

namespace atomemo::integration {

BridgeFixture::BridgeFixture() {
  options_.websocket.user_agent = "atomemo-bridge/test";
  options_.hub.api_key.key = "dev-key";
  options_.plugin_server.socket.path = socket();
  options_.plugin_server.bridge_version = "test";
}

BridgeFixture::~BridgeFixture() { plugin_.reset(); }

void BridgeFixture::StartHub() {
  devhub::DevHubOptions options;
  options.port = port_;
  hub_ = std::make_unique<devhub::DevHub>(options);
  const absl::StatusOr<std::uint16_t> port = hub_->Start();
  ASSERT_TRUE(port.ok()) << port.status();
  port_ = *port;
}

void BridgeFixture::StartBridge() {
  const absl::StatusOr<hub::HubUrl> url = hub::ParseHubUrl(absl::StrCat("ws://127.0.0.1:", port_));
  ASSERT_TRUE(url.ok()) << url.status();
  options_.hub.url = *url;
  bridge_ = std::make_unique<App>(options_);
  const absl::Status started = bridge_->Start();
  ASSERT_TRUE(started.ok()) << started;
}

void BridgeFixture::StartAll() {
  StartHub();
  StartBridge();
  plugin_ = std::make_unique<TestPlugin>(PluginOptions());
  ASSERT_TRUE(hub().WaitJoined());
}

std::string BridgeFixture::hub_url() const { return absl::StrCat("ws://127.0.0.1:", port_); }

TestPlugin::Options BridgeFixture::PluginOptions() const {
  TestPlugin::Options options;
  options.socket = socket();
  return options;
}

}  // namespace atomemo::integration
