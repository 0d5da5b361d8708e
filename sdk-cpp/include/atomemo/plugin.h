#ifndef ATOMEMO_PLUGIN_H_
#define ATOMEMO_PLUGIN_H_

// The C++ plugin SDK: a plugin author writes a definition and handlers, nothing else.
//
//   int main(int argc, char** argv) {
//     atomemo::Plugin plugin(atomemo::PluginInfo("greeter").Version("1.0.0"));
//     plugin.AddTool(atomemo::Tool("greet")
//                        .Parameter(atomemo::String("name").Required())
//                        .Invoke([](const atomemo::Call& call) -> absl::StatusOr<atomemo::Json> {
//                          auto name = call.Get<std::string>("name");
//                          if (!name.ok()) return name.status();
//                          return atomemo::Json{{"greeting", "Hello " + *name}};
//                        }));
//     return plugin.Main(argc, argv);
//   }

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "atomemo/answers.h"
#include "atomemo/call.h"
#include "atomemo/definition.h"
#include "atomemo/error.h"
#include "atomemo/handlers.h"
#include "atomemo/json.h"
#include "atomemo/log.h"
#include "atomemo/values.h"

namespace atomemo {

namespace internal {
struct PluginState;
}  // namespace internal
namespace testing {
class FakeBridge;
}  // namespace testing

// Which of the hub's two sockets the plugin is announced on.
enum class HubMode { kBridgeDefault, kDebug, kRelease };

// How Plugin::Run runs. What is left empty comes from the environment.
struct RunOptions {
  // A socket's path, or a gRPC target ("unix:/path", "host:port"). Empty: $ATOMEMO_BRIDGE_SOCKET,
  // else $XDG_RUNTIME_DIR/atomemo/bridge.sock, else /tmp/atomemo-<uid>/bridge.sock.
  std::string bridge;
  // Where the bridge demands one for this plugin. Empty: $ATOMEMO_PLUGIN_TOKEN.
  std::string token;
  // kBridgeDefault: $HUB_MODE ("debug" or "release") if it is set, else the bridge's own setting.
  HubMode mode = HubMode::kBridgeDefault;
  // How many tool calls run at once, each on a thread of its own; further ones wait in the bridge.
  int max_concurrent_invocations = 16;
  // The same for all other calls (credentials, resource lists): they have threads of their own, so
  // that slow tools cannot hold them up.
  int max_concurrent_queries = 8;
  // At a stop: how long calls in flight may take, and answers be brought to a bridge that is away.
  absl::Duration drain_timeout = absl::Seconds(20);
  // How long handlers then have to return, once their calls were cancelled.
  absl::Duration cancel_grace = absl::Seconds(1);
  // Answers are kept until the hub surely has them, and offered again to a bridge that restarted
  // (which bounds what it takes: --max-parked-answers, --max-parked-bytes). Running calls and kept
  // answers together are at most so many, and no call is started while kept answers have so many
  // bytes: it waits until the hub has taken some. As an answer may take a second to be confirmed, a
  // small number also limits the calls a second.
  int max_kept_answers = 8000;
  std::int64_t max_kept_bytes = std::int64_t{64} << 20;
  // Delays between attempts to reach the bridge: doubled from the first to the last, with jitter.
  absl::Duration first_retry_delay = absl::Milliseconds(50);
  absl::Duration last_retry_delay = absl::Seconds(2);
  // Whether SIGTERM and SIGINT stop the plugin; a second one ends the process at once.
  bool handle_signals = true;
  Logger logger = StderrLogger();
};

// A plugin: its definition, its handlers, and the loop that serves them. Build it on one thread;
// Stop may be called from any.
class Plugin {
 public:
  explicit Plugin(const PluginInfo& info);
  // A plugin whose definition is an official definition.json; its handlers are bound by name with
  // the On... functions.
  static absl::StatusOr<Plugin> FromDefinitionFile(const std::string& path);
  static absl::StatusOr<Plugin> FromDefinition(Json definition);

  Plugin(Plugin&&) noexcept;
  Plugin& operator=(Plugin&&) noexcept;
  ~Plugin();

  // ---- Definitions with their handlers

  Plugin& AddCredential(const Credential& credential);
  Plugin& AddTool(const Tool& tool);
  Plugin& AddModel(const Model& model);

  // ---- Handlers for what the definition names already

  Plugin& OnInvoke(absl::string_view tool, InvokeHandler handler);
  Plugin& OnListResources(absl::string_view tool, absl::string_view method,
                          ListResourcesHandler handler);
  Plugin& OnMapResource(absl::string_view tool, absl::string_view method,
                        MapResourceHandler handler);
  Plugin& OnAuthenticate(absl::string_view credential, AuthenticateHandler handler);
  Plugin& OnBuildAuthorizeUrl(absl::string_view credential, BuildAuthorizeUrlHandler handler);
  Plugin& OnGetToken(absl::string_view credential, GetTokenHandler handler);
  Plugin& OnRefreshToken(absl::string_view credential, RefreshTokenHandler handler);

  // ---- Looking at it

  std::string name() const;
  std::string version() const;
  // The whole definition in the official form.
  const Json& definition() const;
  // Whether handlers and definition fit: every tool has its handlers, and every handler names
  // something. FAILED_PRECONDITION lists all that does not. Run checks this first; the definition
  // itself is judged by the bridge.
  absl::Status Check() const;

  // ---- Running it

  // Serves calls until Stop, SIGTERM or SIGINT, then lets calls in flight finish, and returns OK.
  // The bridge may come, go and restart: the plugin connects and registers again by itself. Returns
  // an error only when trying again cannot help; its message says what to change.
  // DEADLINE_EXCEEDED: handlers were still running after the drain timeout; the process should end.
  absl::Status Run(const RunOptions& options = RunOptions());
  // Makes Run return. Without effect if it does not run.
  void Stop();

  // A whole main function: Run, with errors on stderr. Understands --help, --version and
  // --definition (prints the definition, for `atomemo-bridge check`). Returns the exit code.
  int Main(int argc, char** argv, const RunOptions& options = RunOptions());

 private:
  friend class testing::FakeBridge;
  explicit Plugin(std::shared_ptr<internal::PluginState> state);

  // Shared with handlers that outlive Run (see DEADLINE_EXCEEDED there).
  std::shared_ptr<internal::PluginState> state_;
};

}  // namespace atomemo

#endif  // ATOMEMO_PLUGIN_H_
