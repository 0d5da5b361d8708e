#include "bridge/plugin_service/message_io.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include "absl/strings/str_cat.h"

namespace atomemo::plugin_service {

absl::Status ParseMessage(grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  grpc::ProtoBufferReader reader(&bytes);
  if (reader.status().ok() && message.ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the message is not a valid ", message.GetDescriptor()->full_name()));
}

absl::Status CheckMessageSize(std::size_t size, std::size_t max_message_bytes) {
  if (size <= max_message_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the message has ", size,
                                                   " bytes, and the limit is ", max_message_bytes,
                                                   " (--max-message-bytes)"));
}

}  // namespace atomemo::plugin_service
