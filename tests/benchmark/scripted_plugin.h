#ifndef ATOMEMO_TESTS_BENCHMARK_SCRIPTED_PLUGIN_H_
#define ATOMEMO_TESTS_BENCHMARK_SCRIPTED_PLUGIN_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "atomemo/admin/v1/admin_service.grpc.pb.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"

namespace atomemo::benchmark {

namespace pb = ::atomemo::plugin::v1;

// A plugin on the generated stubs that answers when it is told to. Published once it is made; gone
// with its object. Its tool is "do-work". For one thread.
class ScriptedPlugin {
 public:
  struct Options {
    std::string name = "plugin";
    pb::PayloadEncoding encoding = pb::PAYLOAD_ENCODING_JSON;
    std::size_t definition_bytes = 0;
    bool retry_safe = false;
    int open_request_ids = 0;
    std::string client;
  };

  ScriptedPlugin(const std::string& socket, Options options);
  ~ScriptedPlugin();
  ScriptedPlugin(const ScriptedPlugin&) = delete;
  ScriptedPlugin& operator=(const ScriptedPlugin&) = delete;

  // How many have come.
  std::size_t calls() const { return calls_; }
  void Send(const pb::InvokeReply& reply) { stream_->Write(reply); }
  // Answers every call that has come and has no answer yet with this JSON.
  void AnswerAll(const std::string& json);
  void LoseStream() { stream_context_.TryCancel(); }
  void CallHub(const std::string& data);
  void GetStatus();

 private:
  void Check(const char* what, const grpc::Status& status) const;
  void ReadCalls();

  const Options options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<pb::PluginService::Stub> stub_;
  std::string session_id_;
  grpc::ClientContext session_context_;
  std::unique_ptr<grpc::ClientReader<pb::SessionEvent>> session_;
  grpc::ClientContext stream_context_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::InvokeReply, pb::InvokeCall>> stream_;
  std::atomic<std::size_t> calls_{0};
  absl::Mutex mutex_;
  std::vector<std::string> unanswered_ ABSL_GUARDED_BY(mutex_);
  std::thread reader_;
};

// Watches the health of the plugin "plugin-1"
class HealthWatches {
 public:
  explicit HealthWatches(const std::string& socket);
  ~HealthWatches();
  // The bridge takes 1,000 RPCs on one connection.
  void Start(int count);
  void Stop();
  int answers() const { return answers_; }

 private:
  struct Watch;
  void Run();

  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericStub> stub_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::atomic<int> answers_{0};
  std::thread thread_;
};

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_SCRIPTED_PLUGIN_H_
