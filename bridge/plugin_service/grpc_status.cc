#include "bridge/plugin_service/grpc_status.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bridge/plugin_service/fit_event.h"
#include "bridge/router/ports.h"

namespace atomemo::plugin_service {
namespace {

using ::google::protobuf::Any;
using ::google::protobuf::io::CodedOutputStream;
using ::google::protobuf::io::StringOutputStream;
namespace pb = ::atomemo::plugin::v1;

// Together, with base64 for the details, these stay well under the 8 KiB of a client.
constexpr std::size_t kMaxMessageBytes = 1500;  // as percent-encoded on the wire
constexpr std::size_t kMaxDetailBytes = 2300;   // beside the copy of the message
constexpr int kViolationsInMessage = 3;

// The longest prefix of `text` that takes at most `limit` bytes when percent-encoded, and ends
// between characters.
std::string Truncate(absl::string_view text, std::size_t limit) {
  std::size_t encoded = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    encoded += (c >= 0x20 && c <= 0x7e && c != '%') ? 1 : 3;
    if (encoded > limit) break;
  }
  if (end == text.size()) return std::string(text);
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "...");
}

std::string MessageOf(const absl::Status& status, const pb::DefinitionViolations& violations) {
  std::string message(status.message());
  const int total = violations.violations_size();
  if (total == 0 || absl::StrContains(message, violations.violations(0).message())) return message;
  for (int i = 0; i < std::min(total, kViolationsInMessage); ++i) {
    const pb::DefinitionViolation& violation = violations.violations(i);
    absl::StrAppend(&message, i == 0 ? ": " : "; ", violation.path(),
                    violation.path().empty() ? "" : ": ", violation.message());
  }
  if (total > kViolationsInMessage) {
    absl::StrAppend(&message, "; and ", total - kViolationsInMessage, " more");
  }
  return message;
}

pb::HubError FitHubError(pb::HubError error) {
  if (error.ByteSizeLong() > kMaxDetailBytes) error.clear_error();
  error.set_code(Truncate(error.code(), 200));
  error.set_message(Truncate(error.message(), kMaxMessageBytes));
  return error;
}

void WriteBytes(int field, const std::string& bytes, CodedOutputStream& out) {
  out.WriteTag(static_cast<std::uint32_t>(field) << 3 | 2);  // wire type 2: with its length
  out.WriteVarint32(static_cast<std::uint32_t>(bytes.size()));
  out.WriteString(bytes);
}

// A google.rpc.Status {int32 code = 1; string message = 2; repeated Any details = 3}. Written by
// hand because Debian ships no code for it, and a copy of its proto would clash with the copy of
// anybody who links one.
std::string EncodeRpcStatus(int code, const std::string& message, const std::vector<Any>& details) {
  std::string bytes;
  {
    StringOutputStream sink(&bytes);
    CodedOutputStream out(&sink);
    out.WriteTag(1 << 3);
    out.WriteVarint32(static_cast<std::uint32_t>(code));
    WriteBytes(2, message, out);
    for (const Any& detail : details) WriteBytes(3, detail.SerializeAsString(), out);
  }
  return bytes;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  auto violations = router::GetViolations(status).value_or(pb::DefinitionViolations());
  const std::optional<pb::HubError> hub_error = router::GetHubError(status);
  const std::string message = Truncate(MessageOf(status, violations), kMaxMessageBytes);
  const auto code = static_cast<grpc::StatusCode>(status.raw_code());

  std::vector<Any> details;
  if (!violations.violations().empty()) {
    FitViolations(kMaxDetailBytes, *violations.mutable_violations());
    details.emplace_back().PackFrom(violations);
  }
  if (hub_error) details.emplace_back().PackFrom(FitHubError(*hub_error));
  if (details.empty()) return grpc::Status(code, message);
  return grpc::Status(code, message, EncodeRpcStatus(status.raw_code(), message, details));
}

}  // namespace atomemo::plugin_service
