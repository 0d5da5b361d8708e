#include "sdk-cpp/src/status.h"

#include <optional>
#include <utility>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "atomemo/error.h"

namespace atomemo::internal {
namespace {

namespace pb = ::atomemo::plugin::v1;

// `google.rpc.Status.details`. Its C++ class is in no Debian package, hence the look by number.
constexpr int kDetailsField = 3;

// The detail of type T in a status's google.rpc.Status, if there is one.
template <typename T>
std::optional<T> DetailOf(const grpc::Status& status) {
  google::protobuf::Empty rpc_status;
  if (!rpc_status.ParseFromString(status.error_details())) return std::nullopt;
  const auto& fields = rpc_status.GetReflection()->GetUnknownFields(rpc_status);
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() != kDetailsField ||
        field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      continue;
    }
    google::protobuf::Any any;
    T detail;
    if (any.ParseFromString(field.length_delimited()) && any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

}  // namespace

std::string Describe(const pb::DefinitionViolation& violation) {
  return violation.path().empty() ? violation.message()
                                  : absl::StrCat(violation.path(), ": ", violation.message());
}

std::vector<std::string> ViolationsOf(const grpc::Status& status) {
  std::vector<std::string> lines;
  if (const auto violations = DetailOf<pb::DefinitionViolations>(status)) {
    for (const auto& violation : violations->violations()) lines.push_back(Describe(violation));
  }
  return lines;
}

absl::Status ToAbsl(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (const auto error = DetailOf<pb::HubError>(status)) {
    Json details = Json::parse(error->error().json(), nullptr, /*allow_exceptions=*/false);
    if (!details.is_object()) details = Json::object();
    return Error({error->code(), /*name=*/"", error->message(), std::move(details)});
  }
  std::vector<std::string> lines = ViolationsOf(status);
  lines.insert(lines.begin(), status.error_message());
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrJoin(lines, "\n  "));
}

bool IsPermanent(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace atomemo::internal
