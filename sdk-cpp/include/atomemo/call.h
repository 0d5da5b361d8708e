#ifndef ATOMEMO_CALL_H_
#define ATOMEMO_CALL_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "atomemo/json.h"
#include "atomemo/values.h"

namespace atomemo {

namespace internal {
struct CallData;
}  // namespace internal

// A file's bytes, and what is known of it.
struct File {
  std::optional<std::string> filename = std::nullopt;
  std::optional<std::string> mime_type = std::nullopt;
  std::string content = {};
};

// A file to be stored with the hub.
struct FileUpload {
  std::string filename;
  std::string mime_type;
  std::string content;
  // A folder in the hub's storage, for instance "reports/".
  std::string key_prefix = {};
};

// One call of the hub, as its handler sees it. Lives until the handler returns; several threads of
// the handler may use it at once. The credential values in it must not be logged.
class Call {
 public:
  explicit Call(internal::CallData& data) : data_(data) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const std::string& request_id() const;
  // The tool's name, or the credential's in a CredentialCall.
  const std::string& name() const;

  // ---- What the user filled in

  // By parameter name: a tool's parameters; in a CredentialCall the credential's fields.
  const Json& parameters() const;
  // A tool's credentials: by instance id (what a `credential_id` parameter holds), or by name for
  // those that the tool links by name, each an object of its fields.
  const Json& credentials() const;
  // The fields of one credential: that which the user chose in the `credential_id` parameter
  // `name`, or that which the tool links under `name`. NOT_FOUND if there is none.
  absl::StatusOr<Json> Credential(absl::string_view name) const;

  // A parameter as T: std::string, bool, int, std::int64_t, double, Json, FileRef, ResourceLocator,
  // ResourceMapper or LlmConfig. INVALID_ARGUMENT, naming the parameter, if it is missing, null or
  // of another type. `name` may be a JSON pointer to a value further down: "/attachments/0".
  template <typename T>
  absl::StatusOr<T> Get(absl::string_view name) const;
  // The same, but `fallback` if the parameter is missing or null.
  template <typename T>
  absl::StatusOr<T> GetOr(absl::string_view name, T fallback) const;

  // ---- Who calls

  // For instance {"organization_id": "..."}.
  const Json& context() const;
  // Empty if the hub did not tell.
  std::string organization_id() const;
  // Members of the hub's payload that this SDK does not know.
  const Json& extra_fields() const;

  // ---- How long the caller waits

  absl::Time deadline() const;
  // Zero once the deadline has passed.
  absl::Duration time_left() const;
  // True once nobody waits for the answer any more: the deadline has passed, the caller gave up, or
  // the plugin is being stopped and the time for that is over. Long work should look at it now and
  // then, and return.
  bool cancelled() const;
  // Waits until cancelled() or for `timeout`, whichever is first; returns cancelled(). The way to
  // pause in a handler: it wakes early, and tests need not wait at all (testing::FakeBridge).
  bool WaitCancelled(absl::Duration timeout) const;

  // ---- What the bridge does for the plugin. Blocking; ends early when the call is cancelled.

  // Calls the hub and returns what it answers. An error of the hub keeps its code: a handler may
  // return it as it is. Without `timeout`: 15 minutes for "invoke_llm", 30 seconds for all others;
  // never longer than time_left().
  absl::StatusOr<Json> CallHub(absl::string_view event, const Json& data,
                               std::optional<absl::Duration> timeout = std::nullopt) const;
  // Asks the language model that the user configured in an `llm_config` parameter.
  absl::StatusOr<Json> InvokeLlm(const LlmConfig& config, const Json& messages) const;
  // Fetches a file through the bridge: no network of the plugin's own is needed.
  absl::StatusOr<File> DownloadFile(const FileRef& file) const;
  // The same for large files: `sink` gets the bytes piece by piece, and may end the download with
  // an error. The returned File has no content.
  absl::StatusOr<File> DownloadFile(
      const FileRef& file, const std::function<absl::Status(absl::string_view)>& sink) const;
  // Stores a file with the hub; the reference can be returned from a tool.
  absl::StatusOr<FileRef> UploadFile(const FileUpload& file) const;

  // Logs a line with the request id in front.
  void Log(absl::string_view message) const;

 protected:
  internal::CallData& data_;
};

// Asks for the choices of a resource_locator parameter, or for the fields of a resource_mapper.
class ResourceCall : public Call {
 public:
  using Call::Call;

  // The parameter's `search_list_method` or `mapping_method`.
  const std::string& method() const;
  // What the user typed to narrow a list.
  const std::optional<std::string>& filter() const;
  // Where to go on, from the previous page's ResourceList.
  const std::optional<std::string>& pagination_token() const;
};

// Asks whether a credential is valid and what it gives access to, or for a fresh access token.
class CredentialCall : public Call {
 public:
  using Call::Call;

  // The stored values by field name, decrypted. The same as parameters().
  const Json& credential() const { return parameters(); }
  // Further hints, for instance `model`.
  const Json& extra() const;
};

// Asks for an OAuth2 authorization's URL, or for the tokens that its code buys.
class OAuth2Call : public CredentialCall {
 public:
  using CredentialCall::CredentialCall;

  const std::string& redirect_uri() const;
  // To be passed on in the URL. Empty when tokens are asked for.
  const std::string& state() const;
  // What the provider gave the user. Empty when a URL is asked for.
  const std::string& code() const;
};

namespace internal {

// Null if `name` is missing.
const Json* FindParameter(const Call& call, absl::string_view name);

// Reads `value`; INVALID_ARGUMENT says that `name` should be a T.
template <typename T>
absl::StatusOr<T> ReadParameter(absl::string_view name, const Json* value);

}  // namespace internal

template <typename T>
absl::StatusOr<T> Call::Get(absl::string_view name) const {
  return internal::ReadParameter<T>(name, internal::FindParameter(*this, name));
}

template <typename T>
absl::StatusOr<T> Call::GetOr(absl::string_view name, T fallback) const {
  const Json* value = internal::FindParameter(*this, name);
  if (value == nullptr || value->is_null()) return fallback;
  return internal::ReadParameter<T>(name, value);
}

}  // namespace atomemo

#endif  // ATOMEMO_CALL_H_
