#include "bridge/plugin_service/health.h"

#include <google/protobuf/wrappers.pb.h>

#include <utility>

#include "bridge/plugin_service/message_io.h"

namespace atomemo::plugin_service {
namespace {

// Debian ships no code for grpc/health/v1/health.proto. Its messages have one field each, with the
// number and the wire type of these well-known ones:
//   HealthCheckRequest  { string service = 1; }
//   HealthCheckResponse { ServingStatus status = 1; }
using HealthCheckRequest = google::protobuf::StringValue;
using HealthCheckResponse = google::protobuf::UInt32Value;
constexpr std::uint32_t kServing = 1;
constexpr std::uint32_t kServiceUnknown = 3;

class HealthRpc : public RpcHandler {
 public:
  HealthRpc(const RpcStart& start, std::string service_name)
      : start_(start), service_name_(std::move(service_name)) {}

  void OnMessage(grpc::ByteBuffer message) override {
    HealthCheckRequest request;
    if (absl::Status status = ParseMessage(message, request); !status.ok()) {
      return start_.outbox->Finish(absl::InvalidArgumentError("not a HealthCheckRequest"));
    }
    const bool known = request.value().empty() || request.value() == service_name_;
    const bool watch = start_.method == kHealthWatchMethod;
    if (!known && !watch) {
      return start_.outbox->Finish(absl::NotFoundError("unknown service"));
    }
    auto response = std::make_unique<HealthCheckResponse>();
    response->set_value(known ? kServing : kServiceUnknown);
    start_.outbox->Send(std::move(response));
    // A watch lasts until either side ends; what it watches does not change before that.
    if (!watch) start_.outbox->Finish(absl::OkStatus());
  }

  void OnHalfClose() override {
    start_.outbox->Finish(absl::InvalidArgumentError("the call has no request"));
  }

 private:
  const RpcStart start_;
  const std::string service_name_;
};

}  // namespace

std::unique_ptr<RpcHandler> MakeHealthRpc(const RpcStart& start, std::string service_name) {
  return std::make_unique<HealthRpc>(start, std::move(service_name));
}

}  // namespace atomemo::plugin_service
