#include "bridge/plugin_service/call_front.h"

namespace atomemo::plugin_service {

pb::CallFailure Failure(absl::string_view request_id, absl::string_view code,
                        absl::string_view name, absl::string_view message) {
  pb::CallFailure failure;
  failure.set_request_id(std::string(request_id));
  failure.mutable_error()->set_code(std::string(code));
  failure.mutable_error()->set_name(std::string(name));
  failure.mutable_error()->set_message(std::string(message));
  return failure;
}

void StreamTie::FailCall(router::CallKind kind, absl::string_view request_id,
                         absl::string_view code, absl::string_view error_name,
                         absl::string_view message) {
  context->io.Post([self = shared_from_this(), kind,
                    failure = Failure(request_id, code, error_name, message)]() mutable {
    if (self->active) self->context->port.Fail(self->session_id, kind, std::move(failure));
  });
}

void StreamTie::SendOrEnd(std::unique_ptr<google::protobuf::Message> message,
                          pb::PayloadEncoding message_encoding, RpcOutbox::Lane lane) {
  const auto result = outbox->Send(std::move(message), message_encoding, lane);
  if (result != RpcOutbox::SendResult::kFull) return;
  outbox->Abort(absl::ResourceExhaustedError(OverflowMessage()));
  // The stream may take long to end, as the plugin does not read: its calls fail now.
  context->io.Post([self = shared_from_this()] { self->End(); });
}

std::string StreamTie::OverflowMessage() const {
  return absl::StrCat("the plugin reads its ", name, " stream too slowly: more than ",
                      context->options.max_stream_messages, " messages (--max-stream-messages) or ",
                      context->options.max_stream_bytes, " bytes (--max-stream-bytes) wait");
}

}  // namespace atomemo::plugin_service
