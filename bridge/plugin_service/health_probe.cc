#include "bridge/plugin_service/health_probe.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <memory>

#include "absl/strings/str_cat.h"

namespace atomemo::plugin_service {
namespace {

// A HealthCheckResponse with its one field, `status` (field 1, an enum), set to SERVING: Debian
// ships no header for it.
constexpr char kServing[] = "\x08\x01";

std::string Bytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

}  // namespace

absl::Status ProbeHealth(const std::string& socket_path, absl::Duration timeout) {
  grpc::GenericStub stub(
      grpc::CreateChannel(absl::StrCat("unix:", socket_path), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
  grpc::CompletionQueue queue;
  // An empty HealthCheckRequest asks for the server as a whole.
  const grpc::Slice empty;
  const std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader =
      stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::ByteBuffer(&empty, 1),
                            &queue);
  reader->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  reader->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) {
    return absl::UnavailableError(absl::StrCat("no bridge serves on ", socket_path, ": ",
                                               status.error_message(),
                                               "; start one, or name its socket with --socket"));
  }
  if (Bytes(response) != kServing)
    return absl::UnavailableError("the bridge is up, but does not serve (yet, or any more)");
  return absl::OkStatus();
}

}  // namespace atomemo::plugin_service
