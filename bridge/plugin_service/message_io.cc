#include "bridge/plugin_service/message_io.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace atomemo::plugin_service {
namespace {

using ::google::protobuf::internal::IsStructurallyValidUTF8;
using ::google::protobuf::internal::WireFormatLite;
using ::google::protobuf::io::CodedInputStream;

// The default limit of every gRPC library.
constexpr std::size_t kDefaultReceiveBytes = std::size_t{4} << 20;
// Everything but calls has room in it: a chunk of a file, a session's event.
constexpr std::int64_t kMinReceiveBytes = 128 * 1024;

// In every answer.
constexpr AnswerFields kRequestIdField{1, 1};

// Goes on behind the tag of the next such field. False if there is none.
bool FindField(CodedInputStream& in, AnswerFields fields) {
  while (const std::uint32_t tag = in.ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    const bool is_bytes =
        WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (is_bytes && fields.first <= field && field <= fields.last) return true;
    if (!WireFormatLite::SkipField(&in, tag)) return false;
  }
  return false;
}

}  // namespace

absl::Status ParseMessage(grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  grpc::ProtoBufferReader reader(&bytes);
  if (reader.status().ok() && message.ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the message is not a valid ", message.GetDescriptor()->full_name()));
}

std::string FindRequestId(grpc::ByteBuffer& reply, AnswerFields fields) {
  grpc::ProtoBufferReader reader(&reply);
  if (!reader.status().ok()) return "";
  CodedInputStream in(&reader);
  std::uint32_t size = 0;
  std::string id;
  if (!FindField(in, fields) || !in.ReadVarint32(&size)) return "";
  in.PushLimit(static_cast<int>(std::min<std::uint32_t>(size, std::numeric_limits<int>::max())));
  if (!FindField(in, kRequestIdField) || !in.ReadVarint32(&size)) return "";
  if (size > kMaxRequestIdBytes || !in.ReadString(&id, static_cast<int>(size))) return "";
  return IsStructurallyValidUTF8(id.data(), static_cast<int>(id.size())) ? id : "";
}

absl::Status CheckMessageSize(std::size_t size, std::size_t max_message_bytes) {
  if (size <= max_message_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the message has ", size,
                                                   " bytes, and the limit is ", max_message_bytes,
                                                   " (--max-message-bytes)"));
}

absl::Status CheckReceiveSize(std::size_t size, std::size_t max_receive_bytes) {
  if (size <= max_receive_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the message has ", size, " bytes as it is sent, and the plugin takes ", max_receive_bytes,
      " (OpenSessionRequest.max_receive_bytes: raise it together with the receive limit of the "
      "plugin's gRPC channel)"));
}

absl::StatusOr<std::size_t> MaxReceiveBytes(std::int64_t declared) {
  if (declared == 0) return kDefaultReceiveBytes;
  if (declared == -1) return std::numeric_limits<std::size_t>::max();
  if (declared >= kMinReceiveBytes) return static_cast<std::size_t>(declared);
  return absl::InvalidArgumentError(
      absl::StrCat("max_receive_bytes is ", declared, ", and must be at least ", kMinReceiveBytes,
                   ", or 0 for gRPC's default of ", kDefaultReceiveBytes, ", or -1 for any size"));
}

}  // namespace atomemo::plugin_service
