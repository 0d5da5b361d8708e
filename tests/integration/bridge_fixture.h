#ifndef ATOMEMO_TESTS_INTEGRATION_BRIDGE_FIXTURE_H_
#define ATOMEMO_TESTS_INTEGRATION_BRIDGE_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "bridge/app.h"
#include "bridge/devhub/dev_hub.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/integration/hub_api.h"
#include "tests/integration/test_plugin.h"

namespace atomemo::integration {

// A development hub on a port of its own and a whole bridge between it and a Unix socket in a
// temporary folder.
class BridgeFixture : public ::testing::Test {
 protected:
  BridgeFixture();

  ~BridgeFixture() override;

  // A hub that was stopped starts again on its old port, and remembers no calls.
  void StartHub();
  void StopHub() { hub_.reset(); }
  // With `options_`, and waits until it listens.
  void StartBridge();
  // The usual beginning: hub, bridge, and the plugin "integration", joined.
  void StartAll();

  HubApi hub() const { return HubApi(port_); }
  std::string hub_url() const;
  std::string socket() const { return folder_.path() + "/bridge.sock"; }
  TestPlugin::Options PluginOptions() const;

  const fakes::TemporaryFolder folder_;
  AppOptions options_;
  std::unique_ptr<devhub::DevHub> hub_;
  std::unique_ptr<App> bridge_;
  std::unique_ptr<TestPlugin> plugin_;

 private:
  std::uint16_t port_ = 0;
};

}  // namespace atomemo::integration

#endif  // ATOMEMO_TESTS_INTEGRATION_BRIDGE_FIXTURE_H_
