#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_MESSAGE_IO_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_MESSAGE_IO_H_

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>

#include "absl/status/status.h"

namespace atomemo::plugin_service {

// Reads a message as it came over the wire. INVALID_ARGUMENT if it is not one of its type.
absl::Status ParseMessage(grpc::ByteBuffer& bytes, google::protobuf::Message& message);

// RESOURCE_EXHAUSTED, naming the limit and its flag, if `size` is more than `max_message_bytes`.
absl::Status CheckMessageSize(std::size_t size, std::size_t max_message_bytes);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_MESSAGE_IO_H_
