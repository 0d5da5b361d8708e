#ifndef ATOMEMO_DEFINITION_H_
#define ATOMEMO_DEFINITION_H_

// What a plugin declares, together with the handlers that serve it:
//
//   Tool("get-weather")
//       .DisplayName("Get weather")
//       .Parameter(String("city").Required())
//       .Invoke([](const Call& call) -> absl::StatusOr<Json> { ... })
//
// A definition reads like its counterpart in the TypeScript SDK. Texts and icons that are left out
// get plain defaults, because the hub insists on having them.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "atomemo/handlers.h"
#include "atomemo/i18n.h"
#include "atomemo/internal/builder.h"
#include "atomemo/parameter.h"

namespace atomemo {

namespace internal {

// The texts that plugins, credentials, tools and models have in common.
template <typename Derived>
class Described : public Builder<Derived> {
 public:
  // Serves as the description too while there is none.
  Derived& DisplayName(const I18n& text) {
    if (!described_) this->Set("description", text.ToJson());
    return this->Set("display_name", text.ToJson());
  }
  Derived& Description(const I18n& text) {
    described_ = true;
    return this->Set("description", text.ToJson());
  }
  // An emoji or the URL of a picture.
  Derived& Icon(absl::string_view icon) { return this->Set("icon", std::string(icon)); }

 protected:
  Described(absl::string_view name, const char* default_icon) {
    this->Set("name", std::string(name));
    this->Set("icon", default_icon);
    DisplayName(std::string(name));
  }

 private:
  bool described_ = false;
};

}  // namespace internal

// The plugin's own texts.
class PluginInfo : public internal::Described<PluginInfo> {
 public:
  // `name`: 5 to 65 letters, digits, `-` and `_`, beginning with a letter.
  explicit PluginInfo(absl::string_view name);
  PluginInfo& Version(absl::string_view version) { return Set("version", std::string(version)); }
  PluginInfo& Author(absl::string_view author) { return Set("author", std::string(author)); }
  PluginInfo& Email(absl::string_view email) { return Set("email", std::string(email)); }
  // Where the source is.
  PluginInfo& Repo(absl::string_view url) { return Set("repo", std::string(url)); }
  // The languages of the plugin's texts, for instance {"en-US", "zh-Hans"}.
  PluginInfo& Locales(const std::vector<std::string>& locales) { return Set("locales", locales); }
};

enum class OAuth2Grant { kAuthorizationCode, kClientCredentials };

// A kind of credential that users can store.
class Credential : public internal::Described<Credential> {
 public:
  explicit Credential(absl::string_view name);
  Credential& Parameter(const CredentialParameter& parameter) {
    return Append("parameters", parameter.ToJson());
  }
  Credential& Authenticate(AuthenticateHandler handler);

  // Turns OAuth2 on, and adds those of its five fields (client_id, client_secret, access_token,
  // refresh_token, expires_at) that were not declared before.
  Credential& OAuth2(OAuth2Grant grant = OAuth2Grant::kAuthorizationCode);
  Credential& BuildAuthorizeUrl(BuildAuthorizeUrlHandler handler);
  Credential& GetToken(GetTokenHandler handler);
  Credential& RefreshToken(RefreshTokenHandler handler);

  // Where users learn how to get such a credential (the documentation's form).
  Credential& HelpUrl(absl::string_view url) { return Set("help_url", std::string(url)); }
  Credential& Extra(Json object) { return Set("extra", std::move(object)); }
  // The Elixir SDK's `type`.
  Credential& Type(absl::string_view type) { return Set("type", std::string(type)); }

  struct Handlers {
    AuthenticateHandler authenticate;
    BuildAuthorizeUrlHandler build_authorize_url;
    GetTokenHandler get_token;
    RefreshTokenHandler refresh_token;
  };
  const Handlers& handlers() const { return handlers_; }

 private:
  void AddUnlessDeclared(const CredentialParameter& parameter);

  Handlers handlers_;
};

// A tool that workflows can invoke.
class Tool : public internal::Described<Tool> {
 public:
  explicit Tool(absl::string_view name);
  Tool& Parameter(const DirectParameter& parameter) {
    return Append("parameters", parameter.ToJson());
  }
  // Adds to the tool's second list of parameters, which the Elixir SDK has.
  Tool& Setting(const DirectParameter& parameter) { return Append("settings", parameter.ToJson()); }
  // Links credentials by name (the documentation's form; the other is a CredentialId parameter).
  Tool& Credentials(const std::vector<std::string>& names) { return Set("credentials", names); }
  // Markdown that tells a language model how to use the tool.
  Tool& Skill(absl::string_view markdown) { return Set("skill", std::string(markdown)); }

  // How long a call may take, at most 30 minutes. Otherwise the bridge's own limit holds. The hub
  // is told, as by the Elixir SDK.
  Tool& Timeout(absl::Duration timeout);
  // A second run does no harm: when a worker dies, another one runs its calls again.
  Tool& RetrySafe(bool on = true);

  Tool& Invoke(InvokeHandler handler);
  // Serves the parameters whose ListMode names `method`.
  Tool& ListResources(absl::string_view method, ListResourcesHandler handler);
  // Serves the parameters whose Mapper names `method`.
  Tool& MapResource(absl::string_view method, MapResourceHandler handler);

  struct Handlers {
    InvokeHandler invoke;
    std::map<std::string, ListResourcesHandler> list_resources;
    std::map<std::string, MapResourceHandler> map_resource;
  };
  struct Policy {
    std::optional<absl::Duration> timeout;
    bool retry_safe = false;
  };
  const Handlers& handlers() const { return handlers_; }
  const Policy& policy() const { return policy_; }

 private:
  Handlers handlers_;
  Policy policy_;
};

enum class Modality { kText, kImage, kFile };
enum class Verbosity { kLow, kMedium, kHigh };

// The bounds and the default of a model's numeric setting.
class Range : public internal::Builder<Range> {
 public:
  Range& Default(double value) { return Set("default", value); }
  Range& Minimum(double value) { return Set("minimum", value); }
  Range& Maximum(double value) { return Set("maximum", value); }
};

// Prices per million tokens; `request` per request.
class Pricing : public internal::Builder<Pricing> {
 public:
  explicit Pricing(absl::string_view currency) { Set("currency", std::string(currency)); }
  Pricing& Input(double price) { return Set("input", price); }
  Pricing& InputCacheRead(double price) { return Set("input_cache_read", price); }
  Pricing& InputCacheWrite(double price) { return Set("input_cache_write", price); }
  Pricing& Output(double price) { return Set("output", price); }
  Pricing& Request(double price) { return Set("request", price); }
};

// A language model that the plugin gives access to. Text in and text out unless said otherwise.
class Model : public internal::Described<Model> {
 public:
  explicit Model(absl::string_view name);
  Model& DefaultEndpoint(absl::string_view url) {
    return Set("default_endpoint", std::string(url));
  }
  Model& InputModalities(const std::vector<Modality>& modalities);
  Model& Price(const Pricing& pricing) { return Set("pricing", pricing.ToJson()); }
  Model& Temperature(const Range& range) { return Override("temperature", range.ToJson()); }
  Model& FrequencyPenalty(const Range& range) {
    return Override("frequency_penalty", range.ToJson());
  }
  Model& MaxTokens(std::int64_t default_value, std::int64_t maximum) {
    return Override("max_tokens", Json{{"default", default_value}, {"maximum", maximum}});
  }
  Model& DefaultVerbosity(Verbosity verbosity);
  // For instance {"seed", "parallel_tool_calls"}.
  Model& UnsupportedParameters(const std::vector<std::string>& names) {
    return Set("unsupported_parameters", names);
  }

 private:
  Model& Override(const char* setting, Json value) {
    return SetIn("override_parameters", setting, std::move(value));
  }
};

}  // namespace atomemo

#endif  // ATOMEMO_DEFINITION_H_
