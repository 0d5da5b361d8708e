#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_MESSAGE_IO_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_MESSAGE_IO_H_

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace atomemo::plugin_service {

// Reads a message as it came over the wire. INVALID_ARGUMENT if it is not one of its type.
absl::Status ParseMessage(grpc::ByteBuffer& bytes, google::protobuf::Message& message);

// A reply with a longer one is refused.
inline constexpr std::size_t kMaxRequestIdBytes = 64 * 1024;

// The fields of a stream's replies that are answers to calls.
struct AnswerFields {
  int first = 0;
  int last = 0;
};

// The request_id in a reply that cannot be parsed, or is too large for it: found without looking at
// the rest. Empty if there is none.
std::string FindRequestId(grpc::ByteBuffer& reply, AnswerFields fields);

// RESOURCE_EXHAUSTED, naming the limit and its flag, if `size` is more than `max_message_bytes`.
absl::Status CheckMessageSize(std::size_t size, std::size_t max_message_bytes);

// The same for what a plugin takes; names the field that raises it.
absl::Status CheckReceiveSize(std::size_t size, std::size_t max_receive_bytes);

// What a session takes in one message, of its `OpenSessionRequest.max_receive_bytes`.
// INVALID_ARGUMENT for what cannot be.
absl::StatusOr<std::size_t> MaxReceiveBytes(std::int64_t declared);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_MESSAGE_IO_H_
