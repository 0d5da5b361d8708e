#ifndef ATOMEMO_TESTS_INTEGRATION_RAW_PLUGIN_H_
#define ATOMEMO_TESTS_INTEGRATION_RAW_PLUGIN_H_

#include <grpcpp/grpcpp.h>

#include <future>
#include <memory>
#include <string>

#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"

namespace atomemo::integration {

// The plugin "raw-plugin" with one tool, "echo-tool", without an SDK: a test sees the messages as
// they come and sends what it likes. Blocking; an RPC that takes longer than a minute fails. For
// one thread.
class RawPlugin {
 public:
  // Opens a session, subscribes Invoke, and asks to be published.
  RawPlugin(const std::string& socket, plugin::v1::PayloadEncoding encoding);
  // Ends the session.
  ~RawPlugin();
  RawPlugin(const RawPlugin&) = delete;
  RawPlugin& operator=(const RawPlugin&) = delete;

  // Waits for Publish's outcome.
  grpc::Status published() { return published_.get(); }

  // The next message on the Invoke stream; an empty one when that has ended.
  plugin::v1::InvokeCall Read();
  void Answer(const std::string& request_id, plugin::v1::JsonValue data);
  // In the `json` encoding.
  void AnswerText(const std::string& request_id, const std::string& json);

  // CallHub with `data` ({} by default); takes its time on another thread.
  struct HubOutcome {
    grpc::Status status;
    plugin::v1::JsonValue data;
  };
  std::future<HubOutcome> CallHub(const std::string& event, const std::string& data = "{}");

 private:
  grpc::Status Publish();

  const std::unique_ptr<plugin::v1::PluginService::Stub> stub_;
  grpc::ClientContext session_context_;
  grpc::ClientContext invoke_context_;
  std::unique_ptr<grpc::ClientReader<plugin::v1::SessionEvent>> session_;
  std::unique_ptr<grpc::ClientReaderWriter<plugin::v1::InvokeReply, plugin::v1::InvokeCall>>
      invoke_;
  std::string session_id_;
  std::future<grpc::Status> published_;
};

}  // namespace atomemo::integration

#endif  // ATOMEMO_TESTS_INTEGRATION_RAW_PLUGIN_H_
