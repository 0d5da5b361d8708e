#include <google/protobuf/wrappers.pb.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"
#include "bridge/plugin_service/message_io.h"
#include "bridge/plugin_service/rpcs.h"

namespace atomemo::plugin_service {
namespace {

namespace pb = ::atomemo::plugin::v1;

// Debian ships no code for grpc/health/v1/health.proto. Its messages have one field each, with the
// number and the wire type of these well-known ones:
//   HealthCheckRequest  { string service = 1; }
//   HealthCheckResponse { ServingStatus status = 1; }
using HealthCheckRequest = google::protobuf::StringValue;
using HealthCheckResponse = google::protobuf::UInt32Value;
constexpr std::uint32_t kServing = 1;
constexpr std::uint32_t kNotServing = 2;
constexpr std::uint32_t kServiceUnknown = 3;

constexpr absl::Duration kWatchInterval = absl::Seconds(1);

// One question about health. On the io thread only.
struct HealthQuestion {
  ContextPtr context;
  std::shared_ptr<RpcOutbox> outbox;
  std::string service;
  std::optional<std::uint32_t> last_answer;  // of a watch
};

std::uint32_t HealthOf(HealthBoard& health, absl::string_view service) {
  const auto answer = [](bool is_serving) { return is_serving ? kServing : kNotServing; };
  if (service == kLivenessService) return kServing;
  if (service.empty()) return answer(health.ready());
  if (service == pb::PluginService::service_full_name()) return answer(!health.draining());
  if (absl::ConsumePrefix(&service, kPluginHealthPrefix)) {
    const std::optional<bool> is_ready = health.IsReady(service);
    return is_ready ? answer(*is_ready) : kServiceUnknown;
  }
  return kServiceUnknown;
}

void Send(HealthQuestion& question, std::uint32_t answer) {
  auto response = std::make_unique<HealthCheckResponse>();
  response->set_value(answer);
  question.outbox->Send(std::move(response));
}

void Check(HealthQuestion& question) {
  const std::uint32_t answer = HealthOf(question.context->health, question.service);
  if (answer == kServiceUnknown) {
    return question.outbox->Finish(absl::NotFoundError("unknown service"));
  }
  Send(question, answer);
  question.outbox->Finish(absl::OkStatus());
}

// Tells every change until either side ends the watch.
void Watch(const std::shared_ptr<HealthQuestion>& question) {
  if (question->outbox->closed()) return;
  const std::uint32_t answer = HealthOf(question->context->health, question->service);
  if (question->last_answer != answer) Send(*question, answer);
  question->last_answer = answer;
  question->context->io.After(kWatchInterval, [question] { Watch(question); });
}

class HealthRpc : public RpcHandler {
 public:
  HealthRpc(ContextPtr context, const RpcStart& start)
      : context_(std::move(context)), start_(start) {}

  void OnMessage(grpc::ByteBuffer message) override {
    HealthCheckRequest request;
    if (absl::Status status = ParseMessage(message, request); !status.ok()) {
      return start_.outbox->Finish(absl::InvalidArgumentError("not a HealthCheckRequest"));
    }
    const auto question = std::make_shared<HealthQuestion>(
        HealthQuestion{context_, start_.outbox, request.value(), std::nullopt});
    const bool watch = start_.method == kHealthWatchMethod;
    context_->io.Post([question, watch] { watch ? Watch(question) : Check(*question); });
  }

  void OnHalfClose() override {
    start_.outbox->Finish(absl::InvalidArgumentError("the call has no request"));
  }

 private:
  const ContextPtr context_;
  const RpcStart start_;
};

}  // namespace

std::unique_ptr<RpcHandler> MakeHealthRpc(const ContextPtr& context, const RpcStart& start) {
  return std::make_unique<HealthRpc>(context, start);
}

}  // namespace atomemo::plugin_service
