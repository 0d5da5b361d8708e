#include <memory>
#include <utility>

#include "bridge/base/log.h"
#include "bridge/plugin_service/message_io.h"
#include "bridge/plugin_service/rpcs.h"
#include "bridge/plugin_service/session_opening.h"

namespace atomemo::plugin_service {
namespace {

class SessionStream : public RpcHandler {
 public:
  SessionStream(ContextPtr context, const RpcStart& start)
      : context_(std::move(context)), start_(start) {
    // An event that is too large is not worth the session.
    start_.outbox->SetOnUnsendable([](const google::protobuf::Message&, const absl::Status& why) {
      base::LogWarning("an event for a session was dropped", {{"reason", why.message()}});
    });
  }

  void OnMessage(grpc::ByteBuffer message) override {
    auto opening = std::make_shared<SessionOpening>();
    absl::Status status = TakePlace(*context_, message, opening->place);
    if (status.ok()) status = ParseMessage(message, opening->request);
    if (!status.ok()) return start_.outbox->Finish(status);
    opening->context = context_;
    opening->outbox = start_.outbox;
    opening->link = link_;
    opening->peer = start_.peer;
    opening->wrap = [](pb::SessionEvent event) -> std::unique_ptr<google::protobuf::Message> {
      return std::make_unique<pb::SessionEvent>(std::move(event));
    };
    opening->refuse = [outbox = start_.outbox](const absl::Status& why) { outbox->Finish(why); };
    opening->end = [](RpcOutbox& outbox, const absl::Status& why) { outbox.Finish(why); };
    OpenSession(std::move(opening));
  }

  void OnHalfClose() override {
    start_.outbox->Finish(absl::InvalidArgumentError("the call has no request"));
  }

  bool EndsOthers() const override { return true; }

  void OnDone() override { EndSessionOf(context_, start_.outbox, link_); }

 private:
  const ContextPtr context_;
  const RpcStart start_;
  const std::shared_ptr<SessionLink> link_ = std::make_shared<SessionLink>();
};

}  // namespace

std::unique_ptr<RpcHandler> MakeSessionStream(ContextPtr context, const RpcStart& start) {
  return std::make_unique<SessionStream>(std::move(context), start);
}

}  // namespace atomemo::plugin_service
