#include "atomemo/plugin.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk-cpp/src/plugin_state.h"
#include "sdk-cpp/src/session_engine.h"
#include "sdk-cpp/src/signal_watch.h"

namespace atomemo {
namespace {

using internal::CallKind;

constexpr const char* kPartLists[] = {"credentials", "tools", "models"};

std::string TextOf(const Json& definition, const char* key) {
  const auto it = definition.find(key);
  return it != definition.end() && it->is_string() ? it->get<std::string>() : "";
}

std::string Usage(const Plugin& plugin) {
  return absl::StrCat(
      plugin.name(), " ", plugin.version(), ": a plugin for atomemo-bridge\n\n",
      "  --definition  print the plugin's definition as JSON and exit\n"
      "  --version     print name and version and exit\n"
      "  --help        print this and exit\n\n"
      "Environment:\n"
      "  ATOMEMO_BRIDGE_SOCKET  the bridge's socket: a path, unix:/path or host:port\n"
      "  ATOMEMO_PLUGIN_TOKEN   the token, where the bridge demands one\n"
      "  HUB_MODE               debug or release; unset: the bridge's own setting\n");
}

}  // namespace

Plugin::Plugin(std::shared_ptr<internal::PluginState> state) : state_(std::move(state)) {}

Plugin::Plugin(const PluginInfo& info) : state_(std::make_shared<internal::PluginState>()) {
  state_->definition = info.ToJson();
  for (const char* list : kPartLists) state_->definition[list] = Json::array();
}

Plugin::Plugin(Plugin&&) noexcept = default;
Plugin& Plugin::operator=(Plugin&&) noexcept = default;
Plugin::~Plugin() = default;

absl::StatusOr<Plugin> Plugin::FromDefinitionFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read the definition file ", path));
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Json definition;
  try {
    definition = Json::parse(text);
  } catch (const Json::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not valid JSON: ", error.what()));
  }
  absl::StatusOr<Plugin> plugin = FromDefinition(std::move(definition));
  if (plugin.ok()) return plugin;
  return absl::Status(plugin.status().code(), absl::StrCat(path, ": ", plugin.status().message()));
}

absl::StatusOr<Plugin> Plugin::FromDefinition(Json definition) {
  if (!definition.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a definition is an object, not ", definition.type_name()));
  }
  for (const char* list : kPartLists) {
    Json& parts = definition[list];
    if (parts.is_null()) parts = Json::array();
    if (!parts.is_array()) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", list, "` must be an array, found ", parts.type_name()));
    }
  }
  auto state = std::make_shared<internal::PluginState>();
  for (const Json& credential : definition["credentials"]) {
    if (credential.is_object()) state->dispatcher.DeclareCredential(TextOf(credential, "name"));
  }
  state->definition = std::move(definition);
  return Plugin(std::move(state));
}

Plugin& Plugin::AddCredential(const Credential& credential) {
  const std::string name = credential.ToJson().at("name");
  state_->definition["credentials"].push_back(credential.ToJson());
  state_->dispatcher.DeclareCredential(name);
  OnAuthenticate(name, credential.handlers().authenticate);
  OnBuildAuthorizeUrl(name, credential.handlers().build_authorize_url);
  OnGetToken(name, credential.handlers().get_token);
  return OnRefreshToken(name, credential.handlers().refresh_token);
}

Plugin& Plugin::AddTool(const Tool& tool) {
  const std::string name = tool.ToJson().at("name");
  state_->definition["tools"].push_back(tool.ToJson());
  state_->policies[name] = tool.policy();
  OnInvoke(name, tool.handlers().invoke);
  for (const auto& [method, handler] : tool.handlers().list_resources) {
    OnListResources(name, method, handler);
  }
  for (const auto& [method, handler] : tool.handlers().map_resource) {
    OnMapResource(name, method, handler);
  }
  return *this;
}

Plugin& Plugin::AddModel(const Model& model) {
  state_->definition["models"].push_back(model.ToJson());
  return *this;
}

Plugin& Plugin::OnInvoke(absl::string_view tool, InvokeHandler handler) {
  state_->dispatcher.Add(CallKind::kInvoke, tool, "", std::move(handler));
  return *this;
}

Plugin& Plugin::OnListResources(absl::string_view tool, absl::string_view method,
                                ListResourcesHandler handler) {
  state_->dispatcher.Add(CallKind::kListResources, tool, method, std::move(handler));
  return *this;
}

Plugin& Plugin::OnMapResource(absl::string_view tool, absl::string_view method,
                              MapResourceHandler handler) {
  state_->dispatcher.Add(CallKind::kMapResource, tool, method, std::move(handler));
  return *this;
}

Plugin& Plugin::OnAuthenticate(absl::string_view credential, AuthenticateHandler handler) {
  state_->dispatcher.Add(CallKind::kAuthenticate, credential, "", std::move(handler));
  return *this;
}

Plugin& Plugin::OnBuildAuthorizeUrl(absl::string_view credential,
                                    BuildAuthorizeUrlHandler handler) {
  state_->dispatcher.Add(CallKind::kBuildAuthorizeUrl, credential, "", std::move(handler));
  return *this;
}

Plugin& Plugin::OnGetToken(absl::string_view credential, GetTokenHandler handler) {
  state_->dispatcher.Add(CallKind::kGetToken, credential, "", std::move(handler));
  return *this;
}

Plugin& Plugin::OnRefreshToken(absl::string_view credential, RefreshTokenHandler handler) {
  state_->dispatcher.Add(CallKind::kRefreshToken, credential, "", std::move(handler));
  return *this;
}

std::string Plugin::name() const { return TextOf(state_->definition, "name"); }
std::string Plugin::version() const { return TextOf(state_->definition, "version"); }
const Json& Plugin::definition() const { return state_->definition; }

absl::Status Plugin::Check() const {
  return internal::CheckHandlers(state_->definition, state_->dispatcher);
}

absl::Status Plugin::Run(const RunOptions& options) {
  if (absl::Status status = Check(); !status.ok()) return status;
  auto engine = internal::SessionEngine::Create(state_, options);
  if (!engine.ok()) return engine.status();
  {
    absl::MutexLock lock(&state_->mutex);
    if (state_->stop) return absl::FailedPreconditionError("the plugin is running already");
    state_->stop = [engine = *engine] { engine->Stop(); };
  }
  absl::Status status;
  {
    std::unique_ptr<internal::SignalWatch> signals;
    if (options.handle_signals) {
      signals = std::make_unique<internal::SignalWatch>([engine = *engine] { engine->Stop(); });
    }
    status = (*engine)->Run();
  }
  absl::MutexLock lock(&state_->mutex);
  state_->stop = nullptr;
  return status;
}

void Plugin::Stop() {
  absl::MutexLock lock(&state_->mutex);
  if (state_->stop) state_->stop();
}

int Plugin::Main(int argc, char** argv, const RunOptions& options) {
  const absl::string_view argument = argc > 1 ? argv[1] : "";
  if (argc > 2 || (!argument.empty() && argument != "--help" && argument != "--version" &&
                   argument != "--definition")) {
    std::fprintf(stderr, "%s: unknown arguments; try --help\n", argv[0]);
    return 2;
  }
  if (!argument.empty()) {
    const std::string text =
        argument == "--help" ? Usage(*this)
        : argument == "--version"
            ? absl::StrCat(name(), " ", version(), "\n")
            : absl::StrCat(definition().dump(2, ' ', false, Json::error_handler_t::replace), "\n");
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  const absl::Status status = Run(options);
  if (status.ok()) return 0;
  options.logger(LogLevel::kError, absl::StrCat("the plugin stops: ", status.message()));
  // Handlers that are still running may use what static destructors would tear down.
  if (absl::IsDeadlineExceeded(status)) std::_Exit(1);
  return 1;
}

}  // namespace atomemo
