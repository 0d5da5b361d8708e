#ifndef ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_CALL_STREAM_FIXTURE_H_
#define ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_CALL_STREAM_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "bridge/payload/payload.h"
#include "tests/bridge/plugin_service/service_fixture.h"
#include "tests/fakes/calls.h"

namespace atomemo::plugin_service {

inline router::HubCall Invocation(const std::string& id, const std::string& parameters = "{}") {
  pb::Invocation call;
  call.mutable_info()->set_request_id(id);
  call.set_tool_name("forecast");
  *call.mutable_parameters() = payload::JsonObjectOf(parameters);
  return fakes::CallOf(std::move(call));
}

inline pb::InvokeReply Result(const std::string& id, const std::string& json = "{}") {
  pb::InvokeReply reply;
  reply.mutable_result()->set_request_id(id);
  *reply.mutable_result()->mutable_data() = payload::JsonValueOf(json);
  return reply;
}

// A plugin's end of a stream that was subscribed.
template <typename Reply, typename Call>
struct TestStream {
  using Open = std::unique_ptr<grpc::ClientReaderWriter<Reply, Call>> (pb::PluginService::Stub::*)(
      grpc::ClientContext*);

  TestStream(pb::PluginService::Stub& stub, Open open, const std::string& session_id)
      : stream((stub.*open)(&context)) {
    Reply subscribe;
    subscribe.mutable_subscribe()->set_session_id(session_id);
    subscribe.mutable_subscribe()->set_max_in_flight(7);
    stream->Write(subscribe);
  }
  ~TestStream() { context.TryCancel(); }

  TestContext context;
  std::unique_ptr<grpc::ClientReaderWriter<Reply, Call>> stream;
};
using InvokeStream = TestStream<pb::InvokeReply, pb::InvokeCall>;

// A server, a session, and its Invoke stream, which the fake router has.
class CallStreamTest : public ServiceTest {
 protected:
  void Start(pb::PayloadEncoding encoding = pb::PAYLOAD_ENCODING_JSON,
             std::int64_t max_receive_bytes = 0) {
    StartServer();
    pb::OpenSessionRequest request = OpenRequest(encoding);
    request.set_max_receive_bytes(max_receive_bytes);
    session_ = std::make_unique<TestSession>(*stub_, request);
    invoke_ =
        std::make_unique<InvokeStream>(*stub_, &pb::PluginService::Stub::Invoke, session_->id());
    sink_ = port_.WaitForStream(router::CallKind::kInvoke);
    ASSERT_NE(sink_, nullptr);
  }

  void SendCall(const router::HubCall& call) {
    io_.Run([&] { sink_->Send(fakes::ForWorker(call)); });
  }

  pb::InvokeCall ReadCall() {
    pb::InvokeCall call;
    EXPECT_TRUE(invoke_->stream->Read(&call));
    return call;
  }

  grpc::Status FinishInvoke() {
    pb::InvokeCall call;
    while (invoke_->stream->Read(&call)) {
    }
    return invoke_->stream->Finish();
  }

  bool WaitForUnsubscribed() {
    return port_.WaitUntil(
        [](const fakes::FakePluginPort::Record& record) { return !record.unsubscribed.empty(); });
  }

  std::unique_ptr<TestSession> session_;
  std::unique_ptr<InvokeStream> invoke_;
  std::shared_ptr<router::CallSink> sink_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_CALL_STREAM_FIXTURE_H_
