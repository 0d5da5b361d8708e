#include "bridge/devhub/hub_call_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/devhub/file_store.h"

namespace atomemo::devhub {
namespace {

using base::Json;

HubCallAnswer Ok(Json data) { return {true, std::move(data)}; }

HubCallAnswer Error(absl::string_view code, absl::string_view message) {
  return {false, Json{{"code", std::string(code)}, {"message", std::string(message)}}};
}

// The string member `name`, or "" when it is missing or of another type.
std::string TextOf(const Json& object, const char* name) {
  if (!object.is_object()) return "";
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

// A message's text, whether its content is a string or a list of parts.
std::string MessageText(const Json& message) {
  if (!message.is_object() || !message.contains("content")) return "";
  const Json& content = message["content"];
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (content.is_array()) {
    for (const Json& part : content) text += TextOf(part, "text");
  }
  return text;
}

// A completion in the usual shape, made of nothing but the request: the same request gives the
// same answer, so that a plugin's tests can rely on it.
HubCallAnswer InvokeLlm(const Json& data) {
  if (!data.is_object() || !data.contains("messages") || !data["messages"].is_array() ||
      data["messages"].empty()) {
    return Error("invalid_request", "`messages` must be a list of at least one message");
  }
  const std::string text = MessageText(data["messages"].back());
  const Json config = data.contains("llm_config") ? data["llm_config"] : Json();
  const std::string model = TextOf(config, "model");
  return Ok({{"id", "devhub-echo"},
             {"object", "chat.completion"},
             {"model", model.empty() ? "devhub-echo" : model},
             {"content", text},
             {"choices", Json::array({{{"index", 0},
                                       {"message", {{"role", "assistant"}, {"content", text}}},
                                       {"finish_reason", "stop"}}})},
             {"usage",
              {{"prompt_tokens", text.size()},
               {"completion_tokens", text.size()},
               {"total_tokens", 2 * text.size()}}}});
}

}  // namespace

std::string FilePath(absl::string_view key) { return absl::StrCat("/files/", key); }

HubCallAnswer HubCallService::Answer(absl::string_view event, const Json& data,
                                     absl::string_view base_url, absl::Time now) const {
  if (event == "get_file_url") return GetFileUrl(data, base_url, now);
  if (event == "get_upload_url") return GetUploadUrl(data, base_url, now);
  if (event == "invoke_llm") return InvokeLlm(data);
  return Error("unsupported_event",
               absl::StrCat("the development hub answers get_file_url, get_upload_url and "
                            "invoke_llm, not ",
                            event));
}

HubCallAnswer HubCallService::GetFileUrl(const Json& data, absl::string_view base_url,
                                         absl::Time now) const {
  const std::string key = TextOf(data, "res_key");
  if (!FileStore::IsValidKey(key)) return Error("invalid_request", "`res_key` is no file's key");
  const std::string path = FilePath(key);
  return Ok({{"url", absl::StrCat(base_url, path, "?", signer_.Sign("GET", path, now))}});
}

HubCallAnswer HubCallService::GetUploadUrl(const Json& data, absl::string_view base_url,
                                           absl::Time now) const {
  std::string prefix = TextOf(data, "prefixKey");
  if (prefix.empty()) prefix = TextOf(data, "key_prefix");
  const absl::StatusOr<std::string> key = FileStore::NewKey(prefix, TextOf(data, "extension"));
  if (!key.ok()) return Error("invalid_request", key.status().message());
  const std::string path = FilePath(*key);
  return Ok({{"presigned_url", absl::StrCat(base_url, path, "?", signer_.Sign("PUT", path, now))},
             {"res_key", *key}});
}

}  // namespace atomemo::devhub
