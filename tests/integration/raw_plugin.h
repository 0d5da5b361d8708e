#ifndef ATOMEMO_TESTS_INTEGRATION_RAW_PLUGIN_H_
#define ATOMEMO_TESTS_INTEGRATION_RAW_PLUGIN_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <future>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"

namespace atomemo::integration {

// The two ways to be a plugin, between which the hub sees no difference.
enum class Front { kTypedStreams, kServe };

// The plugin "raw-plugin", without an SDK and with gRPC's defaults: a test sees the messages as
// they come and sends what it likes, in Serve's words on both fronts. It has the credential
// "account-key", the OAuth2 credential "account", and the tools "echo-tool", "brief-tool" (of 50
// ms) and "pick-tool" (with the methods "list_cities" and "map_fields"). Blocking; an RPC that
// takes longer than a minute fails.
class RawPlugin {
 public:
  // Opens a session that takes calls of all kinds, and asks to be published.
  static std::unique_ptr<RawPlugin> Start(Front front, const std::string& socket,
                                          plugin::v1::PayloadEncoding encoding);
  // Ends the session.
  virtual ~RawPlugin() = default;

  // Waits until it is published, or refused.
  virtual grpc::Status published() = 0;

  // What comes next of calls and of what is said of them, `cancel`, `rejected` and `drained`; an
  // empty message when nothing more comes.
  plugin::v1::BridgeMessage Read();
  // An answer.
  virtual void Send(plugin::v1::PluginMessage message) = 0;
  void Answer(const std::string& request_id, plugin::v1::JsonValue data);
  // In the `json` encoding.
  void AnswerText(const std::string& request_id, const std::string& json);

  // Calls the hub with `data` ({} by default).
  struct HubOutcome {
    grpc::Status status;
    plugin::v1::JsonValue data;
  };
  virtual std::future<HubOutcome> CallHub(const std::string& event,
                                          const std::string& data = "{}") = 0;

  // Asks for no further calls.
  virtual void Drain() = 0;
  // How the session ends; with OK only if it was drained, and all is answered.
  virtual grpc::Status End() = 0;

 protected:
  // For threads that read.
  void Take(plugin::v1::BridgeMessage message);
  void TakeEnd();

 private:
  absl::Mutex mutex_;
  std::deque<plugin::v1::BridgeMessage> messages_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace atomemo::integration

#endif  // ATOMEMO_TESTS_INTEGRATION_RAW_PLUGIN_H_
