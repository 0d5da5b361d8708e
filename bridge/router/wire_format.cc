#include "bridge/router/wire_format.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "atomemo/plugin/v1/payload.pb.h"

namespace atomemo::router {
namespace {

using ::google::protobuf::internal::WireFormatLite;
using ::google::protobuf::io::CodedOutputStream;

// A part of its own costs about as much as copying so many bytes.
constexpr std::size_t kCopiedBytes = 1024;
constexpr std::size_t kMaxHeaderBytes = 10;

void AppendHeader(absl::Cord& message, int field, std::size_t size) {
  std::uint8_t header[kMaxHeaderBytes];
  std::uint8_t* end =
      WireFormatLite::WriteTagToArray(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, header);
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(size), end);
  message.Append(absl::string_view(reinterpret_cast<const char*>(header),
                                   static_cast<std::size_t>(end - header)));
}

}  // namespace

absl::Cord PartOf(const SharedText& text, absl::string_view part) {
  if (part.size() <= kCopiedBytes) return absl::Cord(part);
  return absl::MakeCordFromExternal(part, [text](absl::string_view) {});
}

void AppendField(absl::Cord& message, int field, absl::string_view value) {
  AppendHeader(message, field, value.size());
  message.Append(value);
}

void AppendField(absl::Cord& message, int field, absl::Cord value) {
  AppendHeader(message, field, value.size());
  message.Append(std::move(value));
}

absl::Cord JsonObjectMessage(absl::Cord json) {
  absl::Cord object;
  AppendField(object, plugin::v1::JsonObject::kJsonFieldNumber, std::move(json));
  return object;
}

}  // namespace atomemo::router
