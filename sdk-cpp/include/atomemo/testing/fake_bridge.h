#ifndef ATOMEMO_TESTING_FAKE_BRIDGE_H_
#define ATOMEMO_TESTING_FAKE_BRIDGE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "atomemo/plugin.h"

namespace atomemo::internal {
enum class CallKind;
struct CallRequest;
}  // namespace atomemo::internal

namespace atomemo::testing {

// How a call comes in, besides its parameters.
class CallOptions {
 public:
  // Adds a stored credential: `parameters` refer to it by `instance_id`.
  CallOptions& Credential(absl::string_view instance_id, Json fields);
  CallOptions& Context(Json context);
  // How long the caller waits; 30 seconds unless told.
  CallOptions& TimeLeft(absl::Duration time_left);
  // The caller gives up after this long, measured in what the handler waits.
  CallOptions& CancelAfter(absl::Duration delay);
  // For ListResources.
  CallOptions& Filter(std::string filter);
  CallOptions& PaginationToken(std::string token);
  // For ListResources and MapResource.
  CallOptions& Parameters(Json parameters);
  // For Authenticate.
  CallOptions& Extra(Json extra);

 private:
  friend class FakeBridge;
  Json credentials_ = Json::object();
  Json context_ = Json::object();
  absl::Duration time_left_ = absl::Seconds(30);
  absl::Duration cancel_after_ = absl::InfiniteDuration();
  std::optional<std::string> filter_;
  std::optional<std::string> pagination_token_;
  Json parameters_ = Json::object();
  Json extra_ = Json::object();
};

// A bridge in the test's own process, without network, threads or waiting: it calls a plugin's
// handlers as the real one would, and answers their calls to the hub from a script.
//
//   FakeBridge bridge(plugin);
//   auto answer = bridge.Invoke("get-weather", {{"city", "Berlin"}});
//   ASSERT_TRUE(answer.ok()) << answer.status();
//   EXPECT_EQ(answer->at("temperature"), 21);
//
// Time is virtual: Call::WaitCancelled returns at once and moves the call's clock, so that a
// handler that works up to its deadline is tested in no time. An error's code is
// `ErrorCode(status)`. Thread-safe; must not outlive the plugin.
class FakeBridge {
 public:
  explicit FakeBridge(const Plugin& plugin);
  ~FakeBridge();

  // ---- Calls of the hub. FAILED_PRECONDITION if Plugin::Check fails.

  absl::StatusOr<Json> Invoke(absl::string_view tool, Json parameters,
                              const CallOptions& options = CallOptions());
  absl::StatusOr<ResourceList> ListResources(absl::string_view tool, absl::string_view method,
                                             const CallOptions& options = CallOptions());
  absl::StatusOr<ResourceMapping> MapResource(absl::string_view tool, absl::string_view method,
                                              const CallOptions& options = CallOptions());
  absl::StatusOr<Json> Authenticate(absl::string_view credential, Json fields,
                                    const CallOptions& options = CallOptions());
  absl::StatusOr<std::string> BuildAuthorizeUrl(absl::string_view credential, Json fields,
                                                absl::string_view redirect_uri,
                                                absl::string_view state,
                                                const CallOptions& options = CallOptions());
  absl::StatusOr<OAuth2Tokens> GetToken(absl::string_view credential, Json fields,
                                        absl::string_view code, absl::string_view redirect_uri,
                                        const CallOptions& options = CallOptions());
  absl::StatusOr<OAuth2Tokens> RefreshToken(absl::string_view credential, Json fields,
                                            const CallOptions& options = CallOptions());

  // ---- What the hub answers when a handler calls it

  using HubHandler = std::function<absl::StatusOr<Json>(const Json& data)>;
  // Answers Call::CallHub(event) from now on; "invoke_llm" answers Call::InvokeLlm. Events without
  // a handler are answered with UNIMPLEMENTED.
  void OnCallHub(absl::string_view event, HubHandler handler);

  struct HubCall {
    std::string event;
    Json data;
  };
  // What handlers have asked of the hub so far, in order.
  std::vector<HubCall> hub_calls() const;

  // Makes a file that Call::DownloadFile finds. Call::UploadFile stores files in the same place.
  FileRef StoreFile(absl::string_view filename, absl::string_view mime_type,
                    absl::string_view content);
  // A stored file's bytes; NOT_FOUND if there is none under `res_key`.
  absl::StatusOr<std::string> StoredFile(absl::string_view res_key) const;

  // What handlers have logged with Call::Log, in order.
  std::vector<std::string> log_lines() const;

 private:
  class Hub;
  // A request with what `options` say, under a fresh id.
  internal::CallRequest RequestFor(internal::CallKind kind, absl::string_view name,
                                   const CallOptions& options) const;
  template <typename T>
  absl::StatusOr<T> Run(const internal::CallRequest& request, const CallOptions& options);

  std::shared_ptr<internal::PluginState> plugin_;
  std::unique_ptr<Hub> hub_;
};

}  // namespace atomemo::testing

#endif  // ATOMEMO_TESTING_FAKE_BRIDGE_H_
