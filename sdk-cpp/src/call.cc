#include "atomemo/call.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk-cpp/src/call_data.h"

namespace atomemo {

const std::string& Call::request_id() const { return data_.request.request_id; }
const std::string& Call::name() const { return data_.request.name; }
const Json& Call::parameters() const { return data_.request.parameters; }
const Json& Call::credentials() const { return data_.request.credentials; }
const Json& Call::context() const { return data_.request.context; }
const Json& Call::extra_fields() const { return data_.request.extra_fields; }

std::string Call::organization_id() const {
  const auto it = context().find("organization_id");
  return it != context().end() && it->is_string() ? it->get<std::string>() : "";
}

absl::StatusOr<Json> Call::Credential(absl::string_view name) const {
  std::string key(name);
  if (const Json* chosen = internal::FindParameter(*this, name);
      chosen != nullptr && chosen->is_string()) {
    key = chosen->get<std::string>();
  }
  const auto it = credentials().find(key);
  if (it == credentials().end()) {
    return absl::NotFoundError(
        absl::StrCat("the call carries no credential for `", name, "`: choose one in the tool"));
  }
  return *it;
}

absl::Time Call::deadline() const { return data_.control.deadline(); }

absl::Duration Call::time_left() const {
  return std::max(absl::ZeroDuration(), data_.control.deadline() - data_.control.Now());
}

bool Call::cancelled() const { return data_.control.cancelled(); }

bool Call::WaitCancelled(absl::Duration timeout) const {
  return data_.control.WaitCancelled(timeout);
}

absl::StatusOr<Json> Call::CallHub(absl::string_view event, const Json& data,
                                   std::optional<absl::Duration> timeout) const {
  return data_.hub.CallHub(data_.control, event, data, timeout);
}

absl::StatusOr<Json> Call::InvokeLlm(const LlmConfig& config, const Json& messages) const {
  return CallHub(
      "invoke_llm",
      Json{{"llm_config", config}, {"messages", messages}, {"organization_id", organization_id()}});
}

absl::StatusOr<File> Call::DownloadFile(const FileRef& file) const {
  std::string content;
  absl::StatusOr<File> downloaded = DownloadFile(file, [&content](absl::string_view chunk) {
    content.append(chunk.data(), chunk.size());
    return absl::OkStatus();
  });
  if (downloaded.ok()) downloaded->content = std::move(content);
  return downloaded;
}

absl::StatusOr<File> Call::DownloadFile(
    const FileRef& file, const std::function<absl::Status(absl::string_view)>& sink) const {
  if (file.source == FileRef::Source::kMem) {
    if (!file.content) return absl::InvalidArgumentError("the file carries no content");
    if (absl::Status status = sink(*file.content); !status.ok()) return status;
    return File{file.filename, file.mime_type};
  }
  return data_.hub.DownloadFile(data_.control, file, sink);
}

absl::StatusOr<FileRef> Call::UploadFile(const FileUpload& file) const {
  return data_.hub.UploadFile(data_.control, file);
}

void Call::Log(absl::string_view message) const {
  data_.hub.Log(absl::StrCat("[", request_id(), "] ", message));
}

const std::string& ResourceCall::method() const { return data_.request.method; }
const std::optional<std::string>& ResourceCall::filter() const { return data_.request.filter; }
const std::optional<std::string>& ResourceCall::pagination_token() const {
  return data_.request.pagination_token;
}

const Json& CredentialCall::extra() const { return data_.request.extra; }

const std::string& OAuth2Call::redirect_uri() const { return data_.request.redirect_uri; }
const std::string& OAuth2Call::state() const { return data_.request.state; }
const std::string& OAuth2Call::code() const { return data_.request.code; }

namespace internal {
namespace {

absl::Status Unfit(absl::string_view name, absl::string_view expected, const Json& found) {
  return absl::InvalidArgumentError(
      absl::StrCat("parameter `", name, "` must be ", expected, ", found ", found.type_name()));
}

// Integers, and numbers without a fraction that came as floating point.
bool IsIntegerBetween(const Json& value, std::int64_t low, std::int64_t high) {
  if (value.is_number_unsigned()) {
    return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(high);
  }
  if (value.is_number_integer()) {
    return value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
  }
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();
  // `high` itself may round up to a double beyond the range.
  return number == std::floor(number) && number >= static_cast<double>(low) &&
         number < static_cast<double>(high);
}

template <typename T>
absl::StatusOr<T> Convert(absl::string_view name, const Json& value);

template <>
absl::StatusOr<std::string> Convert(absl::string_view name, const Json& value) {
  if (!value.is_string()) return Unfit(name, "a string", value);
  return value.get<std::string>();
}

template <>
absl::StatusOr<bool> Convert(absl::string_view name, const Json& value) {
  if (!value.is_boolean()) return Unfit(name, "true or false", value);
  return value.get<bool>();
}

template <>
absl::StatusOr<std::int64_t> Convert(absl::string_view name, const Json& value) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (!IsIntegerBetween(value, Limits::min(), Limits::max())) {
    return Unfit(name, "an integer", value);
  }
  return value.get<std::int64_t>();
}

template <>
absl::StatusOr<int> Convert(absl::string_view name, const Json& value) {
  using Limits = std::numeric_limits<int>;
  if (!IsIntegerBetween(value, Limits::min(), Limits::max())) {
    return Unfit(name, "an integer of 32 bits", value);
  }
  return value.get<int>();
}

template <>
absl::StatusOr<double> Convert(absl::string_view name, const Json& value) {
  if (!value.is_number()) return Unfit(name, "a number", value);
  return value.get<double>();
}

template <>
absl::StatusOr<Json> Convert(absl::string_view, const Json& value) {
  return value;
}

// FileRef, ResourceLocator, ResourceMapper and LlmConfig.
template <typename T>
absl::StatusOr<T> Convert(absl::string_view name, const Json& value) {
  absl::StatusOr<T> typed = T::FromJson(value);
  if (typed.ok()) return typed;
  return absl::InvalidArgumentError(
      absl::StrCat("parameter `", name, "`: ", typed.status().message()));
}

}  // namespace

const Json* FindParameter(const Call& call, absl::string_view name) {
  const Json& parameters = call.parameters();
  if (!parameters.is_object()) return nullptr;
  if (name.empty() || name.front() != '/') {
    const auto it = parameters.find(std::string(name));
    return it == parameters.end() ? nullptr : &*it;
  }
  const Json::json_pointer pointer{std::string(name)};
  return parameters.contains(pointer) ? &parameters.at(pointer) : nullptr;
}

template <typename T>
absl::StatusOr<T> ReadParameter(absl::string_view name, const Json* value) {
  if (value == nullptr || value->is_null()) {
    return absl::InvalidArgumentError(absl::StrCat("parameter `", name, "` is missing"));
  }
  return Convert<T>(name, *value);
}

template absl::StatusOr<std::string> ReadParameter(absl::string_view, const Json*);
template absl::StatusOr<bool> ReadParameter(absl::string_view, const Json*);
template absl::StatusOr<int> ReadParameter(absl::string_view, const Json*);
template absl::StatusOr<std::int64_t> ReadParameter(absl::string_view, const Json*);
template absl::StatusOr<double> ReadParameter(absl::string_view, const Json*);
template absl::StatusOr<Json> ReadParameter(absl::string_view, const Json*);
template absl::StatusOr<FileRef> ReadParameter(absl::string_view, const Json*);
template absl::StatusOr<ResourceLocator> ReadParameter(absl::string_view, const Json*);
template absl::StatusOr<ResourceMapper> ReadParameter(absl::string_view, const Json*);
template absl::StatusOr<LlmConfig> ReadParameter(absl::string_view, const Json*);

}  // namespace internal
}  // namespace atomemo
