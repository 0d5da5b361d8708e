// Whether a definition and the handlers bound to it fit.

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk-cpp/src/plugin_state.h"

namespace atomemo::internal {
namespace {

using Target = Dispatcher::Target;

// Definitions come from files: every member may be missing or of another type.
std::string TextAt(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

const Json& ListAt(const Json& object, const char* key) {
  static const Json* const kEmpty = new Json(Json::array());
  if (!object.is_object()) return *kEmpty;
  const auto it = object.find(key);
  return it != object.end() && it->is_array() ? *it : *kEmpty;
}

// Deeper definitions are refused by the bridge.
constexpr int kMaxDepth = 200;

// Adds what the parameters below `json` ask of the tool `tool`.
void CollectMethods(const Json& json, const std::string& tool, int depth,
                    std::set<Target>& needed) {
  if (depth > kMaxDepth) return;
  if (json.is_structured()) {
    for (const Json& child : json) CollectMethods(child, tool, depth + 1, needed);
  }
  const std::string type = TextAt(json, "type");
  if (type == "resource_mapper") {
    needed.insert({CallKind::kMapResource, tool, TextAt(json, "mapping_method")});
  }
  if (type == "resource_locator") {
    for (const Json& mode : ListAt(json, "modes")) {
      if (TextAt(mode, "type") != "list") continue;
      needed.insert({CallKind::kListResources, tool, TextAt(mode, "search_list_method")});
    }
  }
}

// What must have a handler, and what may.
struct Expectations {
  std::set<Target> needed;
  std::set<Target> optional;
};

Expectations ExpectationsOf(const Json& definition) {
  Expectations expect;
  for (const Json& tool : ListAt(definition, "tools")) {
    const std::string name = TextAt(tool, "name");
    expect.needed.insert({CallKind::kInvoke, name, ""});
    for (const char* list : {"parameters", "settings"}) {
      CollectMethods(ListAt(tool, list), name, 0, expect.needed);
    }
  }
  for (const Json& credential : ListAt(definition, "credentials")) {
    const std::string name = TextAt(credential, "name");
    expect.optional.insert({CallKind::kAuthenticate, name, ""});
    if (!credential.is_object() || credential.value("oauth2", Json()) != true) continue;
    // Only the authorization-code grant surely has all three steps.
    std::set<Target>& steps = TextAt(credential, "oauth2_grant_type") == "client_credentials"
                                  ? expect.optional
                                  : expect.needed;
    for (const CallKind kind :
         {CallKind::kBuildAuthorizeUrl, CallKind::kGetToken, CallKind::kRefreshToken}) {
      steps.insert({kind, name, ""});
    }
  }
  return expect;
}

// For instance: ListResources handler of tool `send` for method `search_chats`.
std::string Describe(const Target& target) {
  static constexpr const char* kNames[] = {
      "Authenticate", "BuildAuthorizeUrl", "GetToken",   "RefreshToken",
      "Invoke",       "ListResources",     "MapResource"};
  return absl::StrCat(
      kNames[static_cast<std::size_t>(target.kind)], " handler of ",
      IsOfTool(target.kind) ? "tool" : "credential", " `", target.name, "`",
      target.method.empty() ? "" : absl::StrCat(" for method `", target.method, "`"));
}

}  // namespace

absl::Status CheckHandlers(const Json& definition, const Dispatcher& dispatcher) {
  const Expectations expect = ExpectationsOf(definition);
  std::vector<std::string> problems;
  for (const Target& target : expect.needed) {
    if (!dispatcher.Has(target)) {
      problems.push_back(absl::StrCat("the ", Describe(target), " is missing"));
    }
  }
  for (const Target& target : dispatcher.targets()) {
    if (expect.needed.count(target) == 0 && expect.optional.count(target) == 0) {
      problems.push_back(
          absl::StrCat("the ", Describe(target), " serves nothing that the definition names"));
    }
  }
  if (problems.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the plugin's handlers do not fit its definition:\n  ", absl::StrJoin(problems, "\n  ")));
}

}  // namespace atomemo::internal
