#ifndef ATOMEMO_ANSWERS_H_
#define ATOMEMO_ANSWERS_H_

// What handlers answer with, where the hub expects more than "any JSON".

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "atomemo/i18n.h"
#include "atomemo/json.h"

namespace atomemo {

// How the hub reaches a language model: the answer to authenticating a model's credential. Converts
// to Json, so that an authenticate handler can return it.
struct LlmAdapter {
  enum class Kind { kAnthropic, kOpenAi, kGoogleAi, kDeepSeek };

  Kind adapter = Kind::kOpenAi;
  std::string api_key;
  std::optional<std::string> endpoint = std::nullopt;
  std::optional<std::string> model = std::nullopt;
  std::map<std::string, std::string> headers = {};
};

void to_json(Json& json, const LlmAdapter& adapter);

// What an OAuth2 step changes in the stored credential.
struct OAuth2Tokens {
  std::optional<std::string> access_token = std::nullopt;
  std::optional<std::string> refresh_token = std::nullopt;
  std::optional<absl::Time> expires_at = std::nullopt;
  // Further fields of the credential to change.
  Json extra_fields = Json::object();
  // Fields that become null, for instance {"refresh_token"}.
  std::vector<std::string> null_fields = {};
};

// One choice of a resource_locator parameter.
struct Resource {
  std::string label;
  std::string value;
  std::optional<std::string> url = std::nullopt;
};

struct ResourceList {
  std::vector<Resource> results;
  // Set if there is a further page; comes back in ResourceCall::pagination_token.
  std::optional<std::string> pagination_token = std::nullopt;
  // The whole answer as an object, instead of the above.
  Json data = nullptr;
};

// One field of a resource_mapper parameter.
struct MappedField {
  std::string id;
  // "string", "number", "integer", "boolean", "object" or "array".
  std::string type;
  // Else the id is shown.
  std::optional<I18n> display_name = std::nullopt;
  std::optional<bool> required = std::nullopt;
  // Help for whoever fills in the field.
  std::optional<I18n> hint = std::nullopt;
};

struct ResourceMapping {
  std::vector<MappedField> fields;
  // Shown when there are no fields.
  std::optional<I18n> empty_fields_notice = std::nullopt;
  // The whole answer as an object, instead of the above.
  Json data = nullptr;
};

}  // namespace atomemo

#endif  // ATOMEMO_ANSWERS_H_
