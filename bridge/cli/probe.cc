#include "bridge/cli/probe.h"

#include <google/protobuf/wrappers.pb.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "atomemo/admin/v1/admin_service.grpc.pb.h"
#include "bridge/plugin_service/rpcs.h"

namespace atomemo::cli {
namespace {

constexpr std::uint32_t kServing = 1;

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& socket_path) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // the status of thousands of plugins
  return grpc::CreateCustomChannel(absl::StrCat("unix:", socket_path),
                                   grpc::InsecureChannelCredentials(), arguments);
}

absl::Status ErrorOf(const std::string& socket_path, const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
    return absl::NotFoundError(status.error_message());
  }
  if (status.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    return absl::PermissionDeniedError(status.error_message());
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::UnavailableError(
        absl::StrCat("the bridge on ", socket_path, " does not answer in time"));
  }
  return absl::UnavailableError(absl::StrCat("no bridge serves on ", socket_path, ": ",
                                             status.error_message(),
                                             "; start one, or name its socket with --socket"));
}

}  // namespace

absl::Status ProbeHealth(const std::string& socket_path, const std::string& service,
                         absl::Duration timeout) {
  grpc::GenericStub stub(ChannelTo(socket_path));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  grpc::CompletionQueue queue;
  google::protobuf::StringValue request;  // the wire form of a HealthCheckRequest
  request.set_value(service);
  const grpc::Slice slice(request.SerializeAsString());
  const std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader =
      stub.PrepareUnaryCall(&context, plugin_service::kHealthCheckMethod,
                            grpc::ByteBuffer(&slice, 1), &queue);
  reader->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  reader->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) return ErrorOf(socket_path, status);
  grpc::Slice bytes;
  google::protobuf::UInt32Value answer;  // the wire form of a HealthCheckResponse
  if (!response.DumpToSingleSlice(&bytes).ok() ||
      !answer.ParseFromArray(bytes.begin(), static_cast<int>(bytes.size())) ||
      answer.value() != kServing) {
    return absl::UnavailableError("the bridge is up, but not ready");
  }
  return absl::OkStatus();
}

absl::StatusOr<admin::v1::GetStatusResponse> FetchStatus(const std::string& socket_path,
                                                         absl::Duration timeout) {
  const auto stub = admin::v1::AdminService::NewStub(ChannelTo(socket_path));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  admin::v1::GetStatusResponse response;
  const grpc::Status status = stub->GetStatus(&context, admin::v1::GetStatusRequest(), &response);
  if (!status.ok()) return ErrorOf(socket_path, status);
  return response;
}

}  // namespace atomemo::cli
