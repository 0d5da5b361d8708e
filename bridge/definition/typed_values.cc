#include "bridge/definition/typed_values.h"

#include <simdjson.h>

#include <cmath>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace atomemo::definition {
namespace {

namespace pb = ::atomemo::plugin::v1;
using ::google::protobuf::RepeatedPtrField;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

std::optional<std::string> StringMember(object from, const char* name) {
  std::string_view text;
  if (from[name].get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

std::optional<std::int64_t> IntegerMember(object from, const char* name) {
  std::int64_t integer = 0;
  if (from[name].get_int64().get(integer) == simdjson::SUCCESS) return integer;
  double number = 0;
  if (from[name].get_double().get(number) != simdjson::SUCCESS) return std::nullopt;
  if (std::trunc(number) != number || std::abs(number) > 1e15) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

pb::FileRef ReadFileRef(object from) {
  pb::FileRef file;
  const std::optional<std::string> source = StringMember(from, "source");
  if (source == "oss") file.set_source(pb::FileRef::SOURCE_OSS);
  if (source == "mem") file.set_source(pb::FileRef::SOURCE_MEM);
  if (auto text = StringMember(from, "filename")) file.set_filename(*std::move(text));
  if (auto text = StringMember(from, "extension")) file.set_extension(*std::move(text));
  if (auto text = StringMember(from, "mime_type")) file.set_mime_type(*std::move(text));
  if (auto size = IntegerMember(from, "size")) file.set_size(*size);
  if (auto text = StringMember(from, "res_key")) file.set_res_key(*std::move(text));
  if (auto text = StringMember(from, "remote_url")) file.set_remote_url(*std::move(text));
  std::string content;
  if (auto text = StringMember(from, "content"); text && absl::Base64Unescape(*text, &content)) {
    file.set_content(std::move(content));
  }
  return file;
}

pb::ResourceLocator ReadLocator(object from) {
  pb::ResourceLocator locator;
  if (auto text = StringMember(from, "mode_name")) locator.set_mode_name(*std::move(text));
  if (auto text = StringMember(from, "value")) locator.set_value(*std::move(text));
  if (auto text = StringMember(from, "cached_result_label")) {
    locator.set_cached_result_label(*std::move(text));
  }
  if (auto text = StringMember(from, "cached_result_url")) {
    locator.set_cached_result_url(*std::move(text));
  }
  return locator;
}

pb::ResourceMapper ReadMapper(object from) {
  pb::ResourceMapper mapper;
  if (auto text = StringMember(from, "mapping_mode")) mapper.set_mapping_mode(*std::move(text));
  element value;
  if (from["value"].get(value) == simdjson::SUCCESS &&
      (value.is_object() || value.is_string() || value.is_null())) {
    mapper.mutable_value()->set_json(simdjson::minify(value));
  }
  return mapper;
}

class Finder {
 public:
  RepeatedPtrField<pb::TypedValue> Find(element root) {
    Visit(root, "");
    return std::move(found_);
  }

 private:
  void Visit(element value, const std::string& pointer) {
    object members;
    array elements;
    if (value.get_object().get(members) == simdjson::SUCCESS) {
      TakeIfTyped(members, pointer);
      for (const auto& [name, member] : members) {
        if (!member.is_object() && !member.is_array()) continue;
        const std::string escaped = absl::StrReplaceAll(absl::string_view(name.data(), name.size()),
                                                        {{"~", "~0"}, {"/", "~1"}});
        Visit(member, absl::StrCat(pointer, "/", escaped));
      }
    } else if (value.get_array().get(elements) == simdjson::SUCCESS) {
      std::size_t index = 0;
      for (const element member : elements) {
        if (member.is_object() || member.is_array()) {
          Visit(member, absl::StrCat(pointer, "/", index));
        }
        ++index;
      }
    }
  }

  void TakeIfTyped(object members, const std::string& pointer) {
    const std::optional<std::string> type = StringMember(members, "__type__");
    if (!type) return;
    pb::TypedValue value;
    if (*type == "file_ref") {
      *value.mutable_file_ref() = ReadFileRef(members);
    } else if (*type == "resource_locator") {
      *value.mutable_resource_locator() = ReadLocator(members);
    } else if (*type == "resource_mapper") {
      *value.mutable_resource_mapper() = ReadMapper(members);
    } else if (*type == "llm_config") {
      value.mutable_llm_config()->mutable_config()->set_json(simdjson::minify(members));
    } else {
      return;
    }
    value.set_pointer(pointer);
    *found_.Add() = std::move(value);
  }

  RepeatedPtrField<pb::TypedValue> found_;
};

}  // namespace

RepeatedPtrField<pb::TypedValue> FindTypedValues(absl::string_view parameters) {
  // Most calls have none: then the text need not be parsed.
  if (!absl::StrContains(parameters, "__type__")) return {};
  thread_local simdjson::dom::parser parser;
  element root;
  if (parser.parse(parameters.data(), parameters.size()).get(root) != simdjson::SUCCESS) return {};
  return Finder().Find(root);
}

}  // namespace atomemo::definition
