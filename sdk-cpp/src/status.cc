#include "sdk-cpp/src/status.h"

#include <optional>
#include <utility>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include "absl/strings/str_cat.h"
#include "atomemo/error.h"

namespace atomemo::internal {
namespace {

namespace pb = ::atomemo::plugin::v1;

// `google.rpc.Status.details`. Its C++ class is in no Debian package, hence the look by number.
constexpr int kDetailsField = 3;

// The error in a status's google.rpc.Status, if the hub is what failed.
std::optional<pb::HubError> HubErrorOf(const grpc::Status& status) {
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
    pb::HubError error;
    if (any.ParseFromString(field.length_delimited()) && any.UnpackTo(&error)) return error;
  }
  return std::nullopt;
}

absl::Status ToAbsl(const pb::HubError& error) {
  Json details = Json::parse(error.error().json(), nullptr, /*allow_exceptions=*/false);
  if (!details.is_object()) details = Json::object();
  return Error({error.code(), /*name=*/"", error.message(), std::move(details)});
}

}  // namespace

std::string Describe(const pb::DefinitionViolation& violation) {
  return violation.path().empty() ? violation.message()
                                  : absl::StrCat(violation.path(), ": ", violation.message());
}

absl::Status ToAbsl(const grpc::Status& status) {
  if (const auto error = HubErrorOf(status)) return ToAbsl(*error);
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::Status ToAbsl(const pb::HubFailure& failure) {
  if (failure.has_error()) return ToAbsl(failure.error());
  const auto code = static_cast<absl::StatusCode>(failure.code());
  return absl::Status(code == absl::StatusCode::kOk ? absl::StatusCode::kUnknown : code,
                      failure.message());
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
