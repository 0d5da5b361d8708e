#include "atomemo/definition.h"

#include <algorithm>
#include <utility>

namespace atomemo {
namespace internal {

const char* Name(Width width) {
  switch (width) {
    case Width::kSmall:
      return "small";
    case Width::kMedium:
      return "medium";
    case Width::kFull:
      return "full";
  }
  return "";
}

const char* Name(CodeLanguage language) {
  switch (language) {
    case CodeLanguage::kJson:
      return "json";
    case CodeLanguage::kJavaScript:
      return "javascript";
    case CodeLanguage::kPython3:
      return "python3";
    case CodeLanguage::kMarkdown:
      return "markdown";
  }
  return "";
}

const char* Name(EmojiSize size) {
  switch (size) {
    case EmojiSize::kExtraSmall:
      return "extra-small";
    case EmojiSize::kSmall:
      return "small";
    case EmojiSize::kMedium:
      return "medium";
    case EmojiSize::kLarge:
      return "large";
  }
  return "";
}

}  // namespace internal

namespace {

const char* Name(Modality modality) {
  switch (modality) {
    case Modality::kText:
      return "text";
    case Modality::kImage:
      return "image";
    case Modality::kFile:
      return "file";
  }
  return "";
}

const char* Name(Verbosity verbosity) {
  switch (verbosity) {
    case Verbosity::kLow:
      return "low";
    case Verbosity::kMedium:
      return "medium";
    case Verbosity::kHigh:
      return "high";
  }
  return "";
}

Json ListOf(const char* key, std::initializer_list<Condition> conditions) {
  Json list = Json::array();
  for (const Condition& condition : conditions) list.push_back(condition.ToJson());
  return Json{{key, std::move(list)}};
}

}  // namespace

Condition Condition::AllOf(std::initializer_list<Condition> conditions) {
  return Condition(ListOf("$and", conditions));
}

Condition Condition::AnyOf(std::initializer_list<Condition> conditions) {
  return Condition(ListOf("$or", conditions));
}

PluginInfo::PluginInfo(absl::string_view name) : Described(name, "🔌") {
  Set("version", "0.0.0");
  Set("locales", Json::array({"en-US"}));
  // The hub's schema knows "elixir" and "typescript" only.
  Set("lang", "typescript");
}

Credential::Credential(absl::string_view name) : Described(name, "🔑") {
  Set("parameters", Json::array());
}

Credential& Credential::Authenticate(AuthenticateHandler handler) {
  handlers_.authenticate = std::move(handler);
  return *this;
}

Credential& Credential::OAuth2(OAuth2Grant grant) {
  Set("oauth2", true);
  if (grant == OAuth2Grant::kClientCredentials) Set("oauth2_grant_type", "client_credentials");
  AddUnlessDeclared(String("client_id").Required().DisplayName("Client ID").Ui(Input()));
  AddUnlessDeclared(EncryptedString("client_secret")
                        .Required()
                        .DisplayName("Client secret")
                        .Ui(EncryptedInput()));
  AddUnlessDeclared(EncryptedString("access_token"));
  AddUnlessDeclared(EncryptedString("refresh_token"));
  AddUnlessDeclared(Integer("expires_at"));
  return *this;
}

void Credential::AddUnlessDeclared(const CredentialParameter& parameter) {
  const Json& declared = ToJson().at("parameters");
  const Json& name = parameter.ToJson().at("name");
  if (std::none_of(declared.begin(), declared.end(),
                   [&name](const Json& other) { return other.at("name") == name; })) {
    Parameter(parameter);
  }
}

Credential& Credential::BuildAuthorizeUrl(BuildAuthorizeUrlHandler handler) {
  handlers_.build_authorize_url = std::move(handler);
  return *this;
}

Credential& Credential::GetToken(GetTokenHandler handler) {
  handlers_.get_token = std::move(handler);
  return *this;
}

Credential& Credential::RefreshToken(RefreshTokenHandler handler) {
  handlers_.refresh_token = std::move(handler);
  return *this;
}

Tool::Tool(absl::string_view name) : Described(name, "🔧") { Set("parameters", Json::array()); }

Tool& Tool::Timeout(absl::Duration timeout) {
  policy_.timeout = timeout;
  return Set("timeout", absl::ToInt64Milliseconds(timeout));
}

Tool& Tool::RetrySafe(bool on) {
  policy_.retry_safe = on;
  return *this;
}

Tool& Tool::Invoke(InvokeHandler handler) {
  handlers_.invoke = std::move(handler);
  return *this;
}

Tool& Tool::ListResources(absl::string_view method, ListResourcesHandler handler) {
  handlers_.list_resources[std::string(method)] = std::move(handler);
  return *this;
}

Tool& Tool::MapResource(absl::string_view method, MapResourceHandler handler) {
  handlers_.map_resource[std::string(method)] = std::move(handler);
  return *this;
}

Model::Model(absl::string_view name) : Described(name, "🤖") {
  Set("model_type", "llm");
  Set("input_modalities", Json::array({"text"}));
  Set("output_modalities", Json::array({"text"}));
  Set("unsupported_parameters", Json::array());
}

Model& Model::InputModalities(const std::vector<Modality>& modalities) {
  Json names = Json::array();
  for (const Modality modality : modalities) names.push_back(Name(modality));
  return Set("input_modalities", std::move(names));
}

Model& Model::DefaultVerbosity(Verbosity verbosity) {
  return Override("verbosity", Json{{"default", Name(verbosity)}});
}

}  // namespace atomemo
