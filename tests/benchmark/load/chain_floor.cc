// The floor of the whole bridge: a WebSocket on one side, gRPC on the other, and between them only
// the slicing of a call's text. No sessions, deadlines, proofs or limits.
//
//   chain_floor PORT SOCKET

#include <simdjson.h>

#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/benchmark/load/bare_plugin_server.h"
#include "tests/benchmark/load/raw_websocket.h"

namespace atomemo::benchmark {
namespace {

using simdjson::ondemand::parser;

// Cuts a call's frame, [join_ref, ref, topic, event, {"request_id", "tool_name", "parameters"}].
class CallSlicer {
 public:
  // False if it is none.
  bool Slice(const std::string& text, pb::InvokeCall& call) {
    simdjson::padded_string_view padded = Padded(text);
    simdjson::ondemand::document document;
    simdjson::ondemand::array elements;
    if (parser_.iterate(padded).get(document) || document.get_array().get(elements)) return false;
    int index = 0;
    for (auto element : elements) {
      if (index++ < kPayloadIndex) continue;
      simdjson::ondemand::object payload;
      return !element.get_object().get(payload) && SlicePayload(payload, *call.mutable_invoke());
    }
    return false;
  }

 private:
  static constexpr int kPayloadIndex = 4;

  static bool SlicePayload(simdjson::ondemand::object& payload, pb::Invocation& invocation) {
    for (auto field : payload) {
      std::string_view key;
      std::string_view value;
      simdjson::ondemand::value member;
      if (field.unescaped_key().get(key) || field.value().get(member)) return false;
      if (key == "request_id" && !member.get_string().get(value)) {
        invocation.mutable_info()->set_request_id(std::string(value));
      } else if (key == "tool_name" && !member.get_string().get(value)) {
        invocation.set_tool_name(std::string(value));
      } else if (key == "parameters") {
        simdjson::ondemand::object parameters;
        if (member.get_object().get(parameters) || parameters.raw_json().get(value)) return false;
        invocation.mutable_parameters()->set_json(value.data(), value.size());
      }
    }
    return true;
  }

  simdjson::padded_string_view Padded(const std::string& text) {
    if (buffer_.size() < text.size() + simdjson::SIMDJSON_PADDING) {
      buffer_.resize(text.size() + simdjson::SIMDJSON_PADDING);
    }
    buffer_.replace(0, text.size(), text);
    return simdjson::padded_string_view(buffer_.data(), text.size(), buffer_.size());
  }

  parser parser_;
  std::string buffer_;
};

class Chain : public BarePluginServer::Handler {
 public:
  explicit Chain(const std::string& port) : sockets_(port) {}

  // Two threads, as the bridge has: this one for the WebSockets, one for gRPC.
  int Run(const std::string& socket) {
    BarePluginServer server(*this);
    if (!server.Start(socket)) return 1;
    std::thread grpc_thread([&] { server.Run(); });
    sockets_.Run();
    grpc_thread.join();
    return 0;
  }

 private:
  void OnSubscribed(const std::string& plugin, BareCalls& calls) override {
    sockets_.Connect(plugin,
                     [this, &calls](RawWebSockets::Socket& socket, const std::string& text) {
                       pb::InvokeCall call;
                       if (!slicer_.Slice(text, call)) return;
                       {
                         const std::lock_guard<std::mutex> lock(mutex_);
                         back_[&calls] = socket;
                       }
                       calls.Send(std::move(call));
                     });
  }

  void OnResult(BareCalls& calls, pb::InvokeResult& result) override {
    RawWebSockets::Socket socket;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      socket = back_.at(&calls);
    }
    RawWebSockets::Send(
        socket, absl::StrCat(R"(["1",null,"topic","invoke_tool_response",{"request_id":")",
                             result.request_id(), R"(","data":)", result.data().json(), "}]"));
  }

  RawWebSockets sockets_;
  CallSlicer slicer_;  // of the WebSockets' thread
  std::mutex mutex_;
  std::unordered_map<BareCalls*, RawWebSockets::Socket> back_;
};

int Main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: chain_floor PORT SOCKET\n");
    return 2;
  }
  return Chain(argv[1]).Run(argv[2]);
}

}  // namespace
}  // namespace atomemo::benchmark

int main(int argc, char** argv) { return atomemo::benchmark::Main(argc, argv); }
