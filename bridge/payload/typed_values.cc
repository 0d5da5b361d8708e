#include "bridge/payload/typed_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"
#include "bridge/base/json_reader.h"
#include "bridge/definition/messages.h"

namespace atomemo::payload {
namespace {

namespace pb = ::atomemo::plugin::v1;
using ::google::protobuf::RepeatedPtrField;

// The members that typed values of all kinds have.
enum Member : unsigned char {
  kType,
  kSource,
  kFilename,
  kExtension,
  kMimeType,
  kSize,
  kResKey,
  kRemoteUrl,
  kContent,
  kModeName,
  kValue,
  kCachedResultLabel,
  kCachedResultUrl,
  kMappingMode,
  kPluginSlug,
  kVersionSlug,
  kModel,
  kCredentialInstanceId,
  kModelParams,
  kMembers
};
constexpr std::array<absl::string_view, kMembers> kNames = {
    "__type__",          "source",       "filename",
    "extension",         "mime_type",    "size",
    "res_key",           "remote_url",   "content",
    "mode_name",         "value",        "cached_result_label",
    "cached_result_url", "mapping_mode", "plugin_slug",
    "version_slug",      "model",        "credential_instance_id",
    "model_params"};

// The texts of an object's members; empty for what it does not have.
using Texts = std::array<absl::string_view, kMembers>;

std::optional<std::string> StringOf(absl::string_view text) { return base::UnquoteJson(text); }

std::optional<std::int64_t> IntegerOf(absl::string_view text) {
  if (text.empty() || !absl::StrContains("-0123456789", text.front())) return std::nullopt;
  std::int64_t integer = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (error == std::errc() && end == text.data() + text.size()) return integer;
  const absl::StatusOr<double> number = base::NearestDouble(text);
  if (!number.ok() || std::trunc(*number) != *number || std::abs(*number) > 1e15) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*number);
}

// What is wrong with a file; empty if it is fine.
std::string ReadFileRef(const Texts& from, pb::FileRef& file) {
  const std::optional<std::string> source = StringOf(from[kSource]);
  if (source == "oss") file.set_source(pb::FileRef::SOURCE_OSS);
  if (source == "mem") file.set_source(pb::FileRef::SOURCE_MEM);
  if (file.source() == pb::FileRef::SOURCE_UNSPECIFIED)
    return "`source` must be \"oss\" or \"mem\"";
  for (const Member member : {kFilename, kExtension, kMimeType, kResKey, kRemoteUrl, kContent}) {
    const absl::string_view text = from[member];
    if (!text.empty() && text != "null" && text.front() != '"') {
      return absl::StrCat("`", kNames[member], "` must be a string or null");
    }
  }
  if (auto text = StringOf(from[kFilename])) file.set_filename(*std::move(text));
  if (auto text = StringOf(from[kExtension])) file.set_file_extension(*std::move(text));
  if (auto text = StringOf(from[kMimeType])) file.set_mime_type(*std::move(text));
  if (auto text = StringOf(from[kResKey])) file.set_res_key(*std::move(text));
  if (auto text = StringOf(from[kRemoteUrl])) file.set_remote_url(*std::move(text));
  if (auto size = IntegerOf(from[kSize])) {
    file.set_size(*size);
  } else if (!from[kSize].empty() && absl::StrContains("\"[{tf", from[kSize].front())) {
    return "`size` must be a number or null";
  }
  const std::optional<std::string> content = StringOf(from[kContent]);
  if (content && !absl::Base64Unescape(*content, file.mutable_content())) {
    return "`content` must be base64";
  }
  return "";
}

pb::ResourceLocator ReadLocator(const Texts& from) {
  pb::ResourceLocator locator;
  if (auto text = StringOf(from[kModeName])) locator.set_mode_name(*std::move(text));
  if (auto text = StringOf(from[kValue])) locator.set_value(*std::move(text));
  if (auto text = StringOf(from[kCachedResultLabel])) {
    locator.set_cached_result_label(*std::move(text));
  }
  if (auto text = StringOf(from[kCachedResultUrl])) locator.set_cached_result_url(*std::move(text));
  return locator;
}

pb::ResourceMapper ReadMapper(const Texts& from) {
  pb::ResourceMapper mapper;
  if (auto text = StringOf(from[kMappingMode])) mapper.set_mapping_mode(*std::move(text));
  const absl::string_view value = from[kValue];
  if (!value.empty() && absl::StrContains("{\"n", value.front())) {
    mapper.mutable_value()->set_json(std::string(value));
  }
  return mapper;
}

pb::LlmConfig ReadLlmConfig(absl::string_view object, const Texts& from) {
  pb::LlmConfig config;
  config.mutable_config()->set_json(std::string(object));
  if (auto text = StringOf(from[kPluginSlug])) config.set_plugin_slug(*std::move(text));
  if (auto text = StringOf(from[kVersionSlug])) config.set_version_slug(*std::move(text));
  if (auto text = StringOf(from[kModel])) config.set_model(*std::move(text));
  if (auto text = StringOf(from[kCredentialInstanceId])) {
    config.set_credential_instance_id(*std::move(text));
  }
  if (absl::StartsWith(from[kModelParams], "{")) {
    config.mutable_model_params()->set_json(std::string(from[kModelParams]));
  }
  return config;
}

enum class Type : unsigned char { kUnknown, kFileRef, kLocator, kMapper, kLlmConfig };

Type TypeOf(absl::string_view text) {
  const std::optional<std::string> type = StringOf(text);
  if (type == "file_ref") return Type::kFileRef;
  if (type == "resource_locator") return Type::kLocator;
  if (type == "resource_mapper") return Type::kMapper;
  if (type == "llm_config") return Type::kLlmConfig;
  return Type::kUnknown;
}

// The value that `object`, whose members are `from`, is; what is wrong with it, or nothing.
std::string ReadValue(Type type, absl::string_view object, const Texts& from,
                      pb::TypedValue& value) {
  switch (type) {
    case Type::kFileRef:
      return ReadFileRef(from, *value.mutable_file_ref());
    case Type::kLocator:
      *value.mutable_resource_locator() = ReadLocator(from);
      break;
    case Type::kMapper:
      *value.mutable_resource_mapper() = ReadMapper(from);
      break;
    case Type::kLlmConfig:
      *value.mutable_llm_config() = ReadLlmConfig(object, from);
      break;
    case Type::kUnknown:
      break;
  }
  return "";
}

// Walks once through the text, as far as the bounds let it, and notes the objects with a known type
// and the places of their members: an object's are known when it ends, behind the objects in it.
// The values are made afterwards.
class Finder {
 public:
  explicit Finder(absl::string_view text)
      : text_(text), reader_(text, base::JsonReader::kMaxDepth) {}

  absl::StatusOr<RepeatedPtrField<pb::TypedValue>> Run() && {
    RepeatedPtrField<pb::TypedValue> values;
    const bool whole = Visit() && reader_.End();
    if (!whole && !exhausted_) return values;
    std::sort(found_.begin(), found_.end(),
              [](const Found& a, const Found& b) { return a.object.data() < b.object.data(); });
    std::size_t bytes = 0;
    for (const Found& found : found_) {
      if (bytes > MaxTypedValuesBytes(text_.size())) break;
      pb::TypedValue& value = *values.Add();
      const std::string complaint = ReadValue(found.type, found.object, TextsOf(found), value);
      value.set_pointer(PointerTo(found.place));
      if (!complaint.empty()) {
        return absl::InvalidArgumentError(absl::StrCat("the file_ref in `parameters` at ",
                                                       definition::Excerpt(value.pointer()),
                                                       " is malformed: ", complaint));
      }
      bytes += value.ByteSizeLong();
    }
    return values;
  }

 private:
  static constexpr std::size_t kRoot = static_cast<std::size_t>(-1);

  // A member's name or an element's index, on the way to where the walk stands. `place`: its entry
  // in places_, once it has one.
  struct Step {
    const std::string* name;
    std::size_t index;
    std::size_t place = kRoot;
  };
  // A part of an object's pointer, with the part before it.
  struct Place {
    std::size_t before;
    std::string part;
  };
  struct MemberText {
    Member member;
    absl::string_view text;
  };
  struct Found {
    Type type;
    absl::string_view object;
    std::size_t place;
    // In members_.
    std::size_t first_member;
    std::size_t members;
  };

  // Recursive, within the reader's depth. False: the text is broken, or a bound is reached.
  bool Visit() {
    if (++visited_ > kMaxVisitedValues) return Exhaust();
    switch (reader_.Peek()) {
      case '{':
        return VisitObject();
      case '[':
        return VisitArray();
      default:
        return reader_.Skip();
    }
  }

  bool VisitObject() {
    const std::size_t begin = reader_.offset();
    if (!reader_.BeginObject()) return false;
    Texts texts;
    std::string name;
    while (reader_.NextMember(name)) {
      const std::size_t value = reader_.offset();
      path_.push_back({&name, 0});
      if (!Visit()) return false;
      path_.pop_back();
      const auto* const known = std::find(kNames.begin(), kNames.end(), name);
      if (known == kNames.end()) continue;
      texts[static_cast<std::size_t>(known - kNames.begin())] =
          text_.substr(value, reader_.offset() - value);
    }
    if (!reader_.ok()) return false;
    return texts[kType].empty() || Note(text_.substr(begin, reader_.offset() - begin), texts);
  }

  bool VisitArray() {
    if (!reader_.BeginArray()) return false;
    for (std::size_t i = 0; reader_.NextElement(); ++i) {
      path_.push_back({nullptr, i});
      if (!Visit()) return false;
      path_.pop_back();
    }
    return reader_.ok();
  }

  bool Note(absl::string_view object, const Texts& texts) {
    const Type type = TypeOf(texts[kType]);
    if (type == Type::kUnknown) return true;
    if (found_.size() == kMaxTypedValues) return Exhaust();
    const std::size_t first = members_.size();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!texts[i].empty()) members_.push_back({static_cast<Member>(i), texts[i]});
    }
    found_.push_back({type, object, PlaceOfPath(), first, members_.size() - first});
    return true;
  }

  bool Exhaust() {
    exhausted_ = true;
    return false;
  }

  std::size_t PlaceOfPath() {
    std::size_t place = kRoot;
    for (Step& step : path_) {
      if (step.place == kRoot) {
        step.place = places_.size();
        places_.push_back({place, step.name != nullptr
                                      ? absl::StrReplaceAll(*step.name, {{"~", "~0"}, {"/", "~1"}})
                                      : absl::StrCat(step.index)});
      }
      place = step.place;
    }
    return place;
  }

  Texts TextsOf(const Found& found) const {
    Texts texts;
    for (std::size_t i = 0; i < found.members; ++i) {
      const MemberText& member = members_[found.first_member + i];
      texts[member.member] = member.text;
    }
    return texts;
  }

  // As RFC 6901 writes it.
  std::string PointerTo(std::size_t place) const {
    std::vector<absl::string_view> parts;
    for (; place != kRoot; place = places_[place].before) parts.push_back(places_[place].part);
    std::string pointer;
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      absl::StrAppend(&pointer, "/", *part);
    }
    return pointer;
  }

  const absl::string_view text_;
  base::JsonReader reader_;
  std::size_t visited_ = 0;
  bool exhausted_ = false;
  std::vector<Step> path_;
  std::vector<Place> places_;
  std::vector<MemberText> members_;
  std::vector<Found> found_;
};

}  // namespace

absl::StatusOr<RepeatedPtrField<pb::TypedValue>> FindTypedValues(absl::string_view parameters) {
  // Most calls have none: then the text need not be read.
  if (!absl::StrContains(parameters, "__type__")) return RepeatedPtrField<pb::TypedValue>();
  return Finder(parameters).Run();
}

}  // namespace atomemo::payload
