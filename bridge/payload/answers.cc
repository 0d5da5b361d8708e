#include "bridge/payload/answers.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"
#include "bridge/definition/text_rules.h"
#include "bridge/payload/payload.h"

namespace atomemo::payload {
namespace {

using base::JsonMembers;

// An answer with more things wrong is not read any better for knowing all of them.
constexpr int kMaxAnswerViolations = 100;

// Gathers what is wrong with an answer.
class Violations {
 public:
  void Add(absl::string_view path, absl::string_view message) { Add(path, message, message); }

  // For JSON of the plugin's that holds no credentials: says what stands there.
  void AddWithExcerpt(absl::string_view path, const absl::Status& error) {
    Add(path, error.message(), MessageWithExcerpt(error));
  }

  // `text` if nothing is wrong.
  absl::StatusOr<std::string> OkOr(std::string text) const {
    if (found_.violations().empty()) return text;
    absl::Status status = absl::InvalidArgumentError(DescribeViolations(for_logs_));
    status.SetPayload(absl::StrCat("type.googleapis.com/", found_.GetDescriptor()->full_name()),
                      absl::Cord(found_.SerializeAsString()));
    return status;
  }

 private:
  void Add(absl::string_view path, absl::string_view for_logs, absl::string_view message) {
    if (found_.violations_size() > kMaxAnswerViolations) return;
    if (found_.violations_size() == kMaxAnswerViolations) {
      path = "";
      for_logs = message = "... and more: correct these first";
    }
    const auto add = [path](pb::DefinitionViolations& to, absl::string_view text) {
      pb::DefinitionViolation* violation = to.add_violations();
      violation->set_path(std::string(path));
      violation->set_message(std::string(text));
    };
    add(for_logs_, for_logs);
    add(found_, message);
  }

  pb::DefinitionViolations found_;
  pb::DefinitionViolations for_logs_;
};

// Writes one JSON object member by member.
class ObjectWriter {
 public:
  // `json` is the text of a value.
  void Add(absl::string_view name, absl::string_view json) {
    absl::StrAppend(&text_, separator_, base::QuoteJson(name), ":", json);
    separator_ = ",";
  }
  void AddString(absl::string_view name, absl::string_view value) {
    Add(name, base::QuoteJson(value));
  }
  // `members` is the inside of an object's text.
  void AddMembers(absl::string_view members) {
    if (members.empty()) return;
    absl::StrAppend(&text_, separator_, members);
    separator_ = ",";
  }
  std::string Finish() && { return absl::StrCat(text_, "}"); }

 private:
  std::string text_ = "{";
  const char* separator_ = "";
};

// The inside of an object's text: without its braces and the white space at either end.
absl::string_view MembersOf(absl::string_view object) {
  object = absl::StripAsciiWhitespace(object);
  absl::ConsumePrefix(&object, "{");
  absl::ConsumeSuffix(&object, "}");
  return absl::StripAsciiWhitespace(object);
}

// Copies `extra` beside the typed members, whose names it must not repeat.
void AddExtraFields(const pb::JsonObject& extra, const std::vector<absl::string_view>& typed,
                    ObjectWriter& writer, Violations& violations) {
  if (extra.encoding_case() == pb::JsonObject::ENCODING_NOT_SET) return;
  // They may stand in an object inside the answer.
  const absl::StatusOr<std::string> text = JsonTextOf(extra, base::kMaxJsonDepth - 1);
  const absl::StatusOr<JsonMembers> members = text.ok() ? JsonMembers::Cut(*text) : text.status();
  if (!members.ok()) {
    violations.Add("extra_fields", members.status().message());
    return;
  }
  for (const absl::string_view name : typed) {
    if (members->Has(name)) {
      violations.Add(absl::StrCat("extra_fields.", name), "belongs in the field of its own");
    }
  }
  writer.AddMembers(MembersOf(*text));
}

// ---- Authenticate

constexpr absl::string_view kUrlExpected =
    "must be an absolute http or https URL without spaces or control characters";

bool IsAbsoluteHttpUrl(absl::string_view url) {
  for (const char c : url) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c)) ||
        absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      return false;
    }
  }
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == absl::string_view::npos) return false;
  const absl::string_view scheme = url.substr(0, scheme_end);
  if (!absl::EqualsIgnoreCase(scheme, "http") && !absl::EqualsIgnoreCase(scheme, "https")) {
    return false;
  }
  url.remove_prefix(scheme_end + 3);
  absl::string_view host = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = host.rfind('@'); at != absl::string_view::npos) {
    host.remove_prefix(at + 1);
  }
  return !host.empty() && host[0] != ':';
}

constexpr std::array<absl::string_view, 4> kAdapters = {"anthropic", "openai", "google_ai",
                                                        "deepseek"};
constexpr absl::string_view kAdapterExpected =
    "must be one of anthropic, openai, google_ai, deepseek";

absl::string_view AdapterName(pb::LlmAdapter::Kind kind) {
  switch (kind) {
    case pb::LlmAdapter::KIND_ANTHROPIC:
      return "anthropic";
    case pb::LlmAdapter::KIND_OPENAI:
      return "openai";
    case pb::LlmAdapter::KIND_GOOGLE_AI:
      return "google_ai";
    case pb::LlmAdapter::KIND_DEEPSEEK:
      return "deepseek";
    default:
      return "";
  }
}

std::string HeadersJson(const google::protobuf::Map<std::string, std::string>& headers) {
  ObjectWriter writer;
  for (const auto& [name, value] : headers) writer.AddString(name, value);
  return std::move(writer).Finish();
}

absl::StatusOr<std::string> AdapterJson(const pb::LlmAdapter& adapter) {
  Violations violations;
  ObjectWriter writer;
  const absl::string_view name = AdapterName(adapter.adapter());
  if (name.empty()) violations.Add("adapter.adapter", kAdapterExpected);
  writer.AddString("adapter", name);
  writer.AddString("api_key", adapter.api_key());
  if (adapter.has_endpoint()) {
    if (!IsAbsoluteHttpUrl(adapter.endpoint())) violations.Add("adapter.endpoint", kUrlExpected);
    writer.AddString("endpoint", adapter.endpoint());
  }
  if (adapter.has_model()) writer.AddString("model", adapter.model());
  if (!adapter.headers().empty()) writer.Add("headers", HeadersJson(adapter.headers()));
  AddExtraFields(adapter.extra_fields(), {"adapter", "api_key", "endpoint", "model", "headers"},
                 writer, violations);
  return violations.OkOr(std::move(writer).Finish());
}

// Checks a model's answer that was given as free JSON. Members that are null count as missing.
void CheckFreeAdapter(JsonMembers data, Violations& violations) {
  const auto text = [&data](absl::string_view name) -> std::optional<std::string> {
    const std::optional<absl::string_view> value = data.Take(name);
    return value ? base::UnquoteJson(*value) : std::nullopt;
  };
  if (const auto adapter = text("adapter");
      !adapter || !absl::c_linear_search(kAdapters, *adapter)) {
    violations.Add("data.adapter", kAdapterExpected);
  }
  if (!text("api_key")) violations.Add("data.api_key", "must be a string");
  const std::optional<absl::string_view> endpoint = data.Take("endpoint");
  if (endpoint && !IsAbsoluteHttpUrl(base::UnquoteJson(*endpoint).value_or(""))) {
    violations.Add("data.endpoint", kUrlExpected);
  }
  const std::optional<absl::string_view> model = data.Take("model");
  if (model && model->front() != '"') violations.Add("data.model", "must be a string");
  const std::optional<absl::string_view> value = data.Take("headers");
  if (!value) return;
  const absl::StatusOr<JsonMembers> headers = JsonMembers::Cut(*value);
  const bool strings = headers.ok() && absl::c_all_of(headers->rest(), [](const auto& header) {
                         return header.value.front() == '"';
                       });
  if (!strings) violations.Add("data.headers", "must be an object of strings");
}

// ---- OAuth2

// More than any credential has.
constexpr int kMaxNullFields = 100;

// A patch without an access token is no answer to the steps that ask for one.
bool HasAccessToken(const pb::OAuth2Tokens& tokens) { return !tokens.access_token().empty(); }

std::string TokensJson(const pb::OAuth2Tokens& tokens, Violations& violations) {
  ObjectWriter patch;
  if (tokens.has_access_token()) patch.AddString("access_token", tokens.access_token());
  if (tokens.has_refresh_token()) patch.AddString("refresh_token", tokens.refresh_token());
  if (tokens.has_expires_at()) patch.Add("expires_at", absl::StrCat(tokens.expires_at()));
  if (tokens.expires_at() < 0) violations.Add("tokens.expires_at", "must not be negative");
  std::vector<absl::string_view> typed = {"access_token", "refresh_token", "expires_at"};
  absl::flat_hash_set<absl::string_view> set;
  if (tokens.has_access_token()) set.insert("access_token");
  if (tokens.has_refresh_token()) set.insert("refresh_token");
  if (tokens.has_expires_at()) set.insert("expires_at");
  if (tokens.null_fields_size() > kMaxNullFields) {
    violations.Add("tokens.null_fields", absl::StrCat("may have ", kMaxNullFields, " elements"));
  }
  for (int i = 0; i < std::min(tokens.null_fields_size(), kMaxNullFields); ++i) {
    const std::string& name = tokens.null_fields(i);
    if (!set.insert(name).second) {
      violations.Add(absl::StrCat("tokens.null_fields[", i, "]"), "has a value, or is named twice");
    }
    patch.Add(name, "null");
    typed.push_back(name);
  }
  AddExtraFields(tokens.extra_fields(), typed, patch, violations);
  return std::move(patch).Finish();
}

// ---- MapResource

constexpr std::array<absl::string_view, 6> kMappedTypes = {"string",  "number", "integer",
                                                           "boolean", "object", "array"};

// A text for people, which is there.
std::string TextsJson(const google::protobuf::Map<std::string, std::string>& texts,
                      const std::string& path, Violations& violations) {
  const std::map<absl::string_view, absl::string_view> sorted(texts.begin(), texts.end());
  if (sorted.count("en_US") == 0) violations.Add(path, "must have a text for the locale en_US");
  ObjectWriter writer;
  for (const auto& [locale, text] : sorted) {
    if (const auto complaint = definition::CheckLocale(locale)) {
      violations.Add(path, absl::StrCat("has a locale that is none: ", *complaint));
    }
    writer.AddString(locale, text);
  }
  return std::move(writer).Finish();
}

std::string MappedFieldJson(const pb::MappedField& field, const std::string& path,
                            Violations& violations) {
  ObjectWriter writer;
  if (field.id().empty()) violations.Add(absl::StrCat(path, ".id"), "must not be empty");
  if (!absl::c_linear_search(kMappedTypes, field.value_type())) {
    violations.Add(absl::StrCat(path, ".value_type"),
                   "must be one of string, number, integer, boolean, object, array");
  }
  writer.AddString("id", field.id());
  writer.AddString("type", field.value_type());
  if (!field.display_name().empty()) {
    writer.Add("display_name",
               TextsJson(field.display_name(), absl::StrCat(path, ".display_name"), violations));
  }
  if (field.has_required()) writer.Add("required", field.required() ? "true" : "false");
  if (!field.ui().hint().empty()) {
    ObjectWriter ui;
    ui.Add("hint", TextsJson(field.ui().hint(), absl::StrCat(path, ".ui.hint"), violations));
    writer.Add("ui", std::move(ui).Finish());
  }
  return std::move(writer).Finish();
}

std::string ResourceJson(const pb::Resource& resource, const std::string& path,
                         Violations& violations) {
  if (resource.label().empty() && resource.value().empty()) {
    violations.Add(path, "must have a label and a value");
  }
  ObjectWriter writer;
  writer.AddString("label", resource.label());
  writer.AddString("value", resource.value());
  if (resource.has_url()) writer.AddString("url", resource.url());
  return std::move(writer).Finish();
}

// An answer that the plugin gave as JSON in whole.
absl::StatusOr<std::string> WholeJson(const pb::JsonObject& data) {
  absl::StatusOr<std::string> text = JsonTextOf(data);
  if (text.ok()) return text;
  Violations violations;
  violations.AddWithExcerpt("data", text.status());
  return violations.OkOr("");
}

// The text of an array of `items`, each written by `write(item, path, violations)`.
template <typename Items, typename Write>
std::string ArrayJson(const Items& items, absl::string_view name, Violations& violations,
                      Write write) {
  std::string text = "[";
  for (int i = 0; i < items.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",",
                    write(items[i], absl::StrCat(name, "[", i, "]"), violations));
  }
  text += ']';
  return text;
}

}  // namespace

std::string DescribeViolations(const pb::DefinitionViolations& violations) {
  std::string text = "the plugin's answer is not valid";
  const char* separator = ": ";
  for (const pb::DefinitionViolation& violation : violations.violations()) {
    absl::StrAppend(&text, separator, violation.path(), violation.path().empty() ? "" : ": ",
                    violation.message());
    separator = "; ";
  }
  return text;
}

absl::StatusOr<std::string> AnswerJson(const pb::AuthenticateResult& result) {
  if (result.has_adapter()) return AdapterJson(result.adapter());
  Violations violations;
  absl::StatusOr<std::string> text = JsonTextOf(result.data());
  if (!text.ok()) {
    violations.Add("data", text.status().message());
    return violations.OkOr("");
  }
  if (absl::StrContains(*text, "\"adapter\"")) {
    absl::StatusOr<JsonMembers> data = JsonMembers::Cut(*text);
    if (data.ok() && data->Has("adapter")) CheckFreeAdapter(*std::move(data), violations);
  }
  return violations.OkOr(*std::move(text));
}

absl::StatusOr<std::string> AnswerJson(const pb::OAuth2Result& result,
                                       pb::OAuth2Step::StepCase step) {
  const bool wants_url = step == pb::OAuth2Step::kBuildAuthorizeUrl;
  const bool wants_tokens =
      step == pb::OAuth2Step::kGetToken || step == pb::OAuth2Step::kRefreshToken;
  // It holds credentials: no excerpt of it is shown.
  if (result.has_data()) {
    absl::StatusOr<std::string> text = JsonTextOf(result.data());
    if (text.ok()) return text;
    Violations violations;
    violations.Add("data", text.status().message());
    return violations.OkOr("");
  }
  Violations violations;
  ObjectWriter data;
  if (result.has_url() && !wants_tokens) {
    if (!IsAbsoluteHttpUrl(result.url())) violations.Add("url", kUrlExpected);
    data.AddString("url", result.url());
  } else if (result.has_tokens() && !wants_url) {
    if (wants_tokens && !HasAccessToken(result.tokens())) {
      violations.Add("tokens.access_token", "must be set: it is what the hub asked for");
    }
    data.Add("parameters_patch", TokensJson(result.tokens(), violations));
  } else if (wants_url) {
    violations.Add("url", "must be set: the step is build_authorize_url");
  } else if (wants_tokens) {
    violations.Add("tokens", "must be set: the step is get_token or refresh_token");
  } else {
    violations.Add("", "either url or tokens must be set");
  }
  return violations.OkOr(std::move(data).Finish());
}

absl::StatusOr<std::string> AnswerJson(pb::InvokeResult result) {
  absl::StatusOr<std::string> text = JsonTextOf(std::move(*result.mutable_data()));
  if (text.ok()) return text;
  Violations violations;
  violations.AddWithExcerpt("data", text.status());
  return violations.OkOr("");
}

absl::StatusOr<std::string> AnswerJson(const pb::ListResourcesResult& result) {
  Violations violations;
  if (result.has_data()) {
    if (result.results().empty() && !result.has_pagination_token()) return WholeJson(result.data());
    violations.Add("data", "is the whole answer: no other field may be set");
  }
  ObjectWriter data;
  data.Add("results", ArrayJson(result.results(), "results", violations, ResourceJson));
  if (result.has_pagination_token()) data.AddString("pagination_token", result.pagination_token());
  return violations.OkOr(std::move(data).Finish());
}

absl::StatusOr<std::string> AnswerJson(const pb::MapResourceResult& result) {
  Violations violations;
  if (result.has_data()) {
    if (result.fields().empty() && result.empty_fields_notice().empty()) {
      return WholeJson(result.data());
    }
    violations.Add("data", "is the whole answer: no other field may be set");
  }
  ObjectWriter data;
  data.Add("fields", ArrayJson(result.fields(), "fields", violations, MappedFieldJson));
  if (!result.empty_fields_notice().empty()) {
    data.Add("empty_fields_notice",
             TextsJson(result.empty_fields_notice(), "empty_fields_notice", violations));
  }
  return violations.OkOr(std::move(data).Finish());
}

}  // namespace atomemo::payload
