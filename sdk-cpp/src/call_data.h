#ifndef ATOMEMO_SDK_CPP_SRC_CALL_DATA_H_
#define ATOMEMO_SDK_CPP_SRC_CALL_DATA_H_

#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "atomemo/answers.h"
#include "atomemo/call.h"
#include "atomemo/json.h"
#include "sdk-cpp/src/call_control.h"

namespace atomemo::internal {

enum class CallKind {
  // Of credentials.
  kAuthenticate,
  kBuildAuthorizeUrl,
  kGetToken,
  kRefreshToken,
  // Of tools.
  kInvoke,
  kListResources,
  kMapResource,
};
inline bool IsOfTool(CallKind kind) { return kind >= CallKind::kInvoke; }

// What the hub asks, free of its transport. Members that a kind does not have are empty.
struct CallRequest {
  CallKind kind = CallKind::kInvoke;
  std::string request_id;
  std::string name;    // the tool's or the credential's
  std::string method;  // kListResources, kMapResource
  Json parameters = Json::object();
  Json credentials = Json::object();
  Json context = Json::object();
  Json extra_fields = Json::object();
  Json extra = Json::object();                  // kAuthenticate
  std::optional<std::string> filter;            // kListResources
  std::optional<std::string> pagination_token;  // kListResources
  std::string redirect_uri;                     // kBuildAuthorizeUrl, kGetToken
  std::string state;                            // kBuildAuthorizeUrl
  std::string code;                             // kGetToken
};

// What a handler answered: Json for kInvoke and kAuthenticate, a URL for kBuildAuthorizeUrl, tokens
// for kGetToken and kRefreshToken.
using Answer = std::variant<Json, std::string, OAuth2Tokens, ResourceList, ResourceMapping>;

// What the bridge does for a handler. Thread-safe; calls block, and end early when `control` is
// cancelled.
class HubApi {
 public:
  using ChunkSink = std::function<absl::Status(absl::string_view)>;

  virtual ~HubApi() = default;
  virtual absl::StatusOr<Json> CallHub(CallControl& control, absl::string_view event,
                                       const Json& data, std::optional<absl::Duration> timeout) = 0;
  // The returned File has no content: `sink` got it.
  virtual absl::StatusOr<File> DownloadFile(CallControl& control, const FileRef& file,
                                            const ChunkSink& sink) = 0;
  virtual absl::StatusOr<FileRef> UploadFile(CallControl& control, const FileUpload& file) = 0;
  virtual void Log(absl::string_view line) = 0;
};

// What a Call shows. Lives as long as the handler runs.
struct CallData {
  const CallRequest& request;
  CallControl& control;
  HubApi& hub;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_CALL_DATA_H_
