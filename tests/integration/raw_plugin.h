#ifndef ATOMEMO_TESTS_INTEGRATION_RAW_PLUGIN_H_
#define ATOMEMO_TESTS_INTEGRATION_RAW_PLUGIN_H_

#include <grpcpp/grpcpp.h>

#include <future>
#include <memory>
#include <string>

#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"

namespace atomemo::integration {

// The two ways to be a plugin, between which the hub sees no difference.
enum class Front { kTypedStreams, kServe };

// The plugin "raw-plugin" with one tool, "echo-tool", without an SDK: a test sees the messages as
// they come and sends what it likes. Blocking; an RPC that takes longer than a minute fails. For
// one thread.
class RawPlugin {
 public:
  // Opens a session that takes invocations, and asks to be published.
  static std::unique_ptr<RawPlugin> Start(Front front, const std::string& socket,
                                          plugin::v1::PayloadEncoding encoding);
  // Ends the session.
  virtual ~RawPlugin() = default;

  // Waits until it is published, or refused.
  virtual grpc::Status published() = 0;

  // What comes next of invocations and what is said of them, as the Invoke stream would say it; an
  // empty message when the stream has ended.
  virtual plugin::v1::InvokeCall Read() = 0;
  virtual void Answer(const std::string& request_id, plugin::v1::JsonValue data) = 0;
  // In the `json` encoding.
  void AnswerText(const std::string& request_id, const std::string& json);

  // Calls the hub with `data` ({} by default).
  struct HubOutcome {
    grpc::Status status;
    plugin::v1::JsonValue data;
  };
  virtual std::future<HubOutcome> CallHub(const std::string& event,
                                          const std::string& data = "{}") = 0;
};

}  // namespace atomemo::integration

#endif  // ATOMEMO_TESTS_INTEGRATION_RAW_PLUGIN_H_
