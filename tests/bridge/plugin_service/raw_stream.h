#ifndef ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_RAW_STREAM_H_
#define ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_RAW_STREAM_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "tests/bridge/plugin_service/service_fixture.h"

namespace atomemo::plugin_service {

// An RPC of any shape on which any bytes may be sent. On one thread.
class RawStream {
 public:
  // `method` with its service: "/package.Service/Method".
  RawStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method)
      : stub_(channel), stream_(stub_.PrepareCall(&context_, method, &queue_)) {
    stream_->StartCall(nullptr);
    Next();
  }
  ~RawStream() {
    context_.TryCancel();
    queue_.Shutdown();
    Next();
  }

  bool Write(const std::string& bytes) {
    grpc::Slice slice(bytes);
    stream_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    return Next();
  }
  // Nothing at the stream's end.
  std::optional<std::string> Read() {
    grpc::ByteBuffer bytes;
    stream_->Read(&bytes, nullptr);
    grpc::Slice slice;
    if (!Next() || !bytes.DumpToSingleSlice(&slice).ok()) return std::nullopt;
    return std::string(slice.begin(), slice.end());
  }

  // Waits for the headers; whether they came before the time was up.
  bool ReadHeaders() {
    stream_->ReadInitialMetadata(nullptr);
    Next();
    return context_.deadline() > std::chrono::system_clock::now();
  }

  grpc::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    Next();
    return status;
  }

 private:
  bool Next() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  TestContext context_;
  grpc::CompletionQueue queue_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_RAW_STREAM_H_
