#include "bridge/definition/typed_values.h"

#include <simdjson.h>

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

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
  explicit Finder(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  RepeatedPtrField<pb::TypedValue> Find(element root) {
    Visit(root);
    return std::move(found_);
  }

 private:
  // A member's name, or an element's index.
  using Step = std::variant<std::string_view, std::size_t>;

  bool IsFull() const { return bytes_ > max_bytes_; }

  void Visit(element value) {
    object members;
    array elements;
    if (value.get_object().get(members) == simdjson::SUCCESS) {
      TakeIfTyped(members);
      for (const auto& [name, member] : members) VisitInside(name, member);
    } else if (value.get_array().get(elements) == simdjson::SUCCESS) {
      std::size_t index = 0;
      for (const element member : elements) VisitInside(index++, member);
    }
  }

  void VisitInside(Step step, element member) {
    if (IsFull() || (!member.is_object() && !member.is_array())) return;
    path_.push_back(step);
    Visit(member);
    path_.pop_back();
  }

  void TakeIfTyped(object members) {
    std::string_view type;
    if (members["__type__"].get_string().get(type) != simdjson::SUCCESS) return;
    pb::TypedValue value;
    if (type == "file_ref") {
      *value.mutable_file_ref() = ReadFileRef(members);
    } else if (type == "resource_locator") {
      *value.mutable_resource_locator() = ReadLocator(members);
    } else if (type == "resource_mapper") {
      *value.mutable_resource_mapper() = ReadMapper(members);
    } else if (type == "llm_config") {
      value.mutable_llm_config()->mutable_config()->set_json(simdjson::minify(members));
    } else {
      return;
    }
    value.set_pointer(Pointer());
    bytes_ += value.ByteSizeLong();
    *found_.Add() = std::move(value);
  }

  // To where the walk stands, as RFC 6901 writes it.
  std::string Pointer() const {
    std::string pointer;
    for (const Step& step : path_) {
      if (const auto* index = std::get_if<std::size_t>(&step)) {
        absl::StrAppend(&pointer, "/", *index);
      } else {
        const std::string_view name = std::get<std::string_view>(step);
        absl::StrAppend(&pointer, "/",
                        absl::StrReplaceAll(absl::string_view(name.data(), name.size()),
                                            {{"~", "~0"}, {"/", "~1"}}));
      }
    }
    return pointer;
  }

  const std::size_t max_bytes_;
  std::vector<Step> path_;
  std::size_t bytes_ = 0;  // of what was found
  RepeatedPtrField<pb::TypedValue> found_;
};

}  // namespace

RepeatedPtrField<pb::TypedValue> FindTypedValues(absl::string_view parameters) {
  // Most calls have none: then the text need not be parsed.
  if (!absl::StrContains(parameters, "__type__")) return {};
  thread_local simdjson::dom::parser parser;
  element root;
  if (parser.parse(parameters.data(), parameters.size()).get(root) != simdjson::SUCCESS) return {};
  return Finder(MaxTypedValuesBytes(parameters.size())).Find(root);
}

}  // namespace atomemo::definition
