#include "bridge/definition/rule_book.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/definition/parameter_rules.h"
#include "bridge/definition/rule_builder.h"
#include "bridge/definition/text_rules.h"
#include "bridge/definition/web_address.h"

namespace atomemo::definition {
namespace {

using base::Json;

struct OAuth2Parameter {
  absl::string_view name;
  absl::string_view type;
  bool required;
};

// What an OAuth2 credential is made of.
constexpr OAuth2Parameter kOAuth2Parameters[] = {
    {"client_id", "string", true},
    {"client_secret", "encrypted_string", true},
    {"access_token", "encrypted_string", false},
    {"refresh_token", "encrypted_string", false},
    {"expires_at", "integer", false},
};

const Json* FindByName(const Json& parameters, absl::string_view name) {
  for (const Json& parameter : parameters) {
    if (!parameter.is_object()) continue;
    const auto place = parameter.find("name");
    if (place != parameter.end() && *place == std::string(name)) return &parameter;
  }
  return nullptr;
}

void CheckOAuth2Parameter(const Json& parameters, const OAuth2Parameter& wanted,
                          ViolationSink& sink) {
  const Json* parameter = FindByName(parameters, wanted.name);
  const std::string what =
      absl::StrCat("an OAuth2 credential needs a parameter \"", wanted.name, "\" of type \"",
                   wanted.type, "\"", wanted.required ? " with `required: true`" : "");
  if (parameter == nullptr) return sink.Error(absl::StrCat(what, "; there is none of that name"));
  const auto type = parameter->find("type");
  if (type == parameter->end() || *type != std::string(wanted.type)) {
    return sink.Error(absl::StrCat(what, "; it has another type"));
  }
  const auto required = parameter->find("required");
  if (wanted.required && (required == parameter->end() || *required != true)) {
    sink.Error(absl::StrCat(what, "; its `required` is not true"));
  }
}

void CheckCredential(const Json& credential, ViolationSink& sink) {
  const auto oauth2 = credential.find("oauth2");
  const auto parameters = credential.find("parameters");
  if (oauth2 == credential.end() || *oauth2 != true || parameters == credential.end() ||
      !parameters->is_array()) {
    return;
  }
  const ViolationSink::Step step(sink, "parameters");
  for (const OAuth2Parameter& wanted : kOAuth2Parameters) {
    CheckOAuth2Parameter(*parameters, wanted, sink);
  }
}

class RuleBook {
 public:
  const Rule& For(Schema schema) const {
    switch (schema) {
      case Schema::kDefinition:
        return *definition_;
      case Schema::kPlugin:
        return *plugin_;
      case Schema::kCredential:
        return *credential_;
      case Schema::kTool:
        return *tool_;
      case Schema::kModel:
        return *model_;
      case Schema::kProperty:
        return *parameters_.parameter;
      case Schema::kI18n:
        return *rules_.Translations();
      case Schema::kFileRef:
        return *values_.file_ref;
      case Schema::kResourceLocator:
        return *values_.resource_locator;
      case Schema::kResourceMapper:
        return *values_.resource_mapper;
      case Schema::kName:
        return *name_;
      case Schema::kStrictName:
        return *strict_name_;
    }
    return *rules_.Any();
  }

 private:
  const Rule* Name() {
    return rules_.Make(
        "a name of 5 to 65 letters, digits, `-` and `_` that starts with a letter, ends with a "
        "letter or digit and has no two of `-` and `_` side by side",
        TextRule{CheckName, "^(?!.*[_-]{2})[a-zA-Z][a-zA-Z0-9_-]{3,63}[a-zA-Z0-9]$"});
  }

  const Rule* ModelName() {
    return rules_.Make(
        "a name of at least 2 letters, digits, `.`, `_`, `-` and `/` that starts with a letter, "
        "ends with a letter or digit and has no two of `.`, `_` and `-` side by side",
        TextRule{CheckModelName, "^(?!.*[_.-]{2})[a-zA-Z][a-zA-Z0-9._/-]*[a-zA-Z0-9]$"});
  }

  const Rule* WebAddress() {
    return rules_.Make("an address such as https://example.com/path",
                       TextRule{CheckWebAddress, {}, TrimWhitespace});
  }

  const Rule* Email() {
    return rules_.Make("an e-mail address",
                       TextRule{CheckEmail,
                                "^(?!\\.)(?!.*\\.\\.)[A-Za-z0-9_'+\\-.]*[A-Za-z0-9_+-]@"
                                "([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$"});
  }

  std::vector<Member> Texts(const Rule* name) {
    return {Required("name", name), Required("display_name", rules_.Translations()),
            Required("description", rules_.Translations()), Required("icon", rules_.String())};
  }

  // Definitions of official plugins have an empty one.
  const Rule* WebAddressOrEmpty() {
    return rules_.Make("an address such as https://example.com/path",
                       TextRule{[](absl::string_view text) {
                                  return text.empty() ? std::nullopt : CheckWebAddress(text);
                                },
                                {},
                                TrimWhitespace});
  }

  std::vector<Member> PluginMembers(const Rule* repo) {
    return Join({Nullable("author", rules_.String()), Nullable("email", Email()),
                 Nullable("repo", repo), Nullable("version", rules_.String()),
                 Required("locales", rules_.ListOf(rules_.String(), "a list of locales")),
                 Required("lang", rules_.OneOf({"elixir", "typescript"}))},
                Texts(name_));
  }

  const Rule* Credential() {
    return rules_.Object(
        Join({Required("parameters", parameters_.credential_parameters),
              Optional("oauth2", rules_.Boolean()),
              Optional("oauth2_grant_type",
                       rules_.OneOf({"authorization_code", "client_credentials"})),
              Optional("authenticate", rules_.Function()),
              Optional("oauth2_build_authorize_url", rules_.Function()),
              Optional("oauth2_get_token", rules_.Function()),
              Optional("oauth2_refresh_token", rules_.Function()),
              // The plugin documentation's own, and the Elixir SDK's.
              Nullable("help_url", rules_.String()), Nullable("extra", rules_.AnyObject()),
              Nullable("type", rules_.String())},
             Texts(name_)),
        "a credential", CheckCredential);
  }

  const Rule* Tool() {
    const Rule* methods = rules_.Make("an empty object or null", RecordRule{rules_.Function()});
    const Rule* timeout = rules_.Make("a whole number of milliseconds",
                                      SteppedIntegerRule{1, std::numeric_limits<int>::max(), 1});
    return rules_.Object(
        Join({Required("parameters", parameters_.parameters), Nullable("skill", rules_.String()),
              Nullable("locator_list", methods), Nullable("resource_mapping", methods),
              // The plugin documentation's own, and the Elixir SDK's.
              Nullable("credentials",
                       rules_.ListOf(rules_.String(), "a list of credentials' names")),
              Nullable("timeout", timeout), Nullable("settings", parameters_.parameters)},
             Texts(name_)),
        "a tool");
  }

  const Rule* Ranges(const std::vector<absl::string_view>& names) {
    std::vector<Member> members;
    members.reserve(names.size());
    for (const absl::string_view name : names) members.push_back(Nullable(name, rules_.Number()));
    return rules_.Object(std::move(members));
  }

  const Rule* Model() {
    const Rule* pricing =
        rules_.Object({Nullable("currency", rules_.String()), Nullable("input", rules_.Number()),
                       Nullable("input_cache_read", rules_.Number()),
                       Nullable("input_cache_write", rules_.Number()),
                       Nullable("output", rules_.Number()), Nullable("request", rules_.Number())});
    const Rule* verbosity =
        rules_.Object({Nullable("default", rules_.OneOf({"low", "medium", "high"}))});
    const Rule* overrides = rules_.Object(
        {Nullable("temperature", Ranges({"default", "maximum", "minimum"})),
         Nullable("frequency_penalty", Ranges({"default", "maximum", "minimum"})),
         Nullable("max_tokens", Ranges({"default", "maximum"})), Nullable("verbosity", verbosity)});
    const auto list_of = [this](std::vector<absl::string_view> values) {
      const Rule* value = rules_.OneOf(std::move(values));
      return rules_.ListOf(value, absl::StrCat("a list of ", value->expected));
    };
    return rules_.Object(
        Join({Required("model_type", rules_.OneOf({"llm"})),
              Nullable("default_endpoint", WebAddress()),
              Required("input_modalities", list_of({"file", "image", "text"})),
              Required("output_modalities", list_of({"text"})), Nullable("pricing", pricing),
              Nullable("override_parameters", overrides),
              Required("unsupported_parameters",
                       list_of({"endpoint", "temperature", "frequency_penalty", "seed",
                                "max_tokens", "json_schema", "stream", "stream_options",
                                "structured_outputs", "parallel_tool_calls", "verbosity"}))},
             Texts(ModelName())),
        "a model");
  }

  const Rule* Definition() {
    const auto parts = [this](const Rule* part, std::string expected) {
      return rules_.Make(std::move(expected), ArrayRule{part, 0, /*unique_names=*/true});
    };
    return rules_.Object(Join({Optional("credentials", parts(credential_, "a list of credentials")),
                               Optional("tools", parts(tool_, "a list of tools")),
                               Optional("models", parts(model_, "a list of models"))},
                              PluginMembers(WebAddressOrEmpty())),
                         "a plugin's definition");
  }

  RuleBuilder rules_;
  const ValueRules values_ = MakeValueRules(rules_);
  const ParameterRules parameters_ = MakeParameterRules(rules_, values_);
  const Rule* const name_ = Name();
  const Rule* const strict_name_ = parameters_.name;
  const Rule* const credential_ = Credential();
  const Rule* const tool_ = Tool();
  const Rule* const model_ = Model();
  const Rule* const plugin_ = rules_.Object(PluginMembers(WebAddress()), "a plugin");
  const Rule* const definition_ = Definition();
};

}  // namespace

const Rule& RuleFor(Schema schema) {
  static const RuleBook* const book = new RuleBook;
  return book->For(schema);
}

}  // namespace atomemo::definition
