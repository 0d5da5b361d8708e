#include "bridge/definition/payload.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"

namespace atomemo::definition {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::ListValue;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::google::protobuf::Struct;
using ::google::protobuf::Value;

// ---- Struct to text

constexpr double kMaxExactInteger = 9007199254740992.0;  // 2^53

absl::Status WriteNumber(double number, std::string& out) {
  if (!std::isfinite(number)) {
    return absl::InvalidArgumentError("a number is NaN or infinite, which JSON cannot say");
  }
  char buffer[32];
  const bool integer = std::trunc(number) == number && std::abs(number) <= kMaxExactInteger;
  const std::to_chars_result end =
      integer ? std::to_chars(buffer, buffer + sizeof(buffer), static_cast<std::int64_t>(number))
              : std::to_chars(buffer, buffer + sizeof(buffer), number);
  out.append(buffer, end.ptr);
  return absl::OkStatus();
}

void WriteString(const std::string& text, std::string& out) {
  for (const char c : text) {
    if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {  // char may be signed: >= 0x80 is < 0x20
      out += base::QuoteJson(text);
      return;
    }
  }
  absl::StrAppend(&out, "\"", text, "\"");
}

absl::Status TooDeep() {
  return absl::InvalidArgumentError(
      absl::StrCat("JSON is nested deeper than ", base::kMaxJsonDepth, " levels"));
}

absl::Status WriteValue(const Value& value, int depth, std::string& out);

absl::Status WriteStruct(const Struct& object, int depth, std::string& out) {
  if (depth > base::kMaxJsonDepth) return TooDeep();
  out += '{';
  const char* separator = "";
  for (const auto& [name, member] : object.fields()) {
    out += separator;
    separator = ",";
    WriteString(name, out);
    out += ':';
    if (absl::Status status = WriteValue(member, depth + 1, out); !status.ok()) return status;
  }
  out += '}';
  return absl::OkStatus();
}

absl::Status WriteList(const ListValue& list, int depth, std::string& out) {
  if (depth > base::kMaxJsonDepth) return TooDeep();
  out += '[';
  const char* separator = "";
  for (const Value& element : list.values()) {
    out += separator;
    separator = ",";
    if (absl::Status status = WriteValue(element, depth + 1, out); !status.ok()) return status;
  }
  out += ']';
  return absl::OkStatus();
}

// `depth` is the level of a container that stands here, counted from 1.
absl::Status WriteValue(const Value& value, int depth, std::string& out) {
  switch (value.kind_case()) {
    case Value::kNullValue:
    case Value::KIND_NOT_SET:
      out += "null";
      return absl::OkStatus();
    case Value::kBoolValue:
      out += value.bool_value() ? "true" : "false";
      return absl::OkStatus();
    case Value::kNumberValue:
      return WriteNumber(value.number_value(), out);
    case Value::kStringValue:
      WriteString(value.string_value(), out);
      return absl::OkStatus();
    case Value::kStructValue:
      return WriteStruct(value.struct_value(), depth, out);
    case Value::kListValue:
      return WriteList(value.list_value(), depth, out);
  }
  return absl::InternalError("unknown kind of google.protobuf.Value");
}

// ---- Text to Struct

using Element = simdjson::dom::element;
using ElementType = simdjson::dom::element_type;

simdjson::dom::parser& Parser() {
  thread_local simdjson::dom::parser parser;
  return parser;
}

absl::StatusOr<Element> Parse(const std::string& text) {
  Element root;
  const simdjson::error_code error = Parser().parse(text).get(root);
  if (error == simdjson::SUCCESS) return root;
  return absl::InvalidArgumentError(
      absl::StrCat("not valid JSON: ", simdjson::error_message(error)));
}

absl::Status TooDeepForStruct() {
  return absl::InvalidArgumentError(
      "JSON is nested too deep for a google.protobuf.Struct (about 30 objects or 45 arrays): open "
      "the session with PAYLOAD_ENCODING_JSON");
}

absl::Status ReadValue(Element element, int depth, Value& value);

absl::Status ReadStruct(simdjson::dom::object object, int depth, Struct& out) {
  if (depth > kMaxStructDepth) return TooDeepForStruct();
  auto& fields = *out.mutable_fields();
  for (const auto& [name, member] : object) {
    // The map's entry and the Value in it are messages too.
    absl::Status status = ReadValue(member, depth + 2, fields[std::string(name)]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReadList(simdjson::dom::array array, int depth, ListValue& out) {
  if (depth > kMaxStructDepth) return TooDeepForStruct();
  for (const Element element : array) {
    absl::Status status = ReadValue(element, depth + 1, *out.add_values());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// `depth` is how deep `value` itself is nested, counted in protobuf messages.
absl::Status ReadValue(Element element, int depth, Value& value) {
  switch (element.type()) {
    case ElementType::OBJECT:
      return ReadStruct(element.get_object().value_unsafe(), depth + 1,
                        *value.mutable_struct_value());
    case ElementType::ARRAY:
      return ReadList(element.get_array().value_unsafe(), depth + 1, *value.mutable_list_value());
    case ElementType::STRING:
      value.set_string_value(std::string(element.get_string().value_unsafe()));
      return absl::OkStatus();
    case ElementType::INT64:
    case ElementType::UINT64:
    case ElementType::DOUBLE:
      value.set_number_value(element.get_double().value_unsafe());
      return absl::OkStatus();
    case ElementType::BOOL:
      value.set_bool_value(element.get_bool().value_unsafe());
      return absl::OkStatus();
    case ElementType::NULL_VALUE:
      value.set_null_value(google::protobuf::NULL_VALUE);
      return absl::OkStatus();
  }
  return absl::InternalError("unknown type of JSON value");
}

absl::Status ToStruct(pb::JsonObject& object) {
  if (!object.has_json()) return absl::OkStatus();
  const std::unique_ptr<std::string> text(object.release_json());
  const absl::StatusOr<Element> root = Parse(*text);
  if (!root.ok()) return root.status();
  if (!root->is_object()) return absl::InvalidArgumentError("not a JSON object");
  return ReadStruct(root->get_object().value_unsafe(), 1, *object.mutable_fields());
}

absl::Status ToStruct(pb::JsonValue& value) {
  if (!value.has_json()) return absl::OkStatus();
  const std::unique_ptr<std::string> text(value.release_json());
  const absl::StatusOr<Element> root = Parse(*text);
  if (!root.ok()) return root.status();
  return ReadValue(*root, 1, *value.mutable_value());
}

// ---- The walk through a message

absl::Status ConvertMessage(Message& message);

absl::Status ConvertField(const FieldDescriptor& field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  if (!field.is_repeated()) return ConvertMessage(*reflection.MutableMessage(&message, &field));
  const int size = reflection.FieldSize(message, &field);  // a map's elements are its entries
  for (int i = 0; i < size; ++i) {
    absl::Status status = ConvertMessage(*reflection.MutableRepeatedMessage(&message, &field, i));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ConvertMessage(Message& message) {
  const Descriptor* descriptor = message.GetDescriptor();
  if (descriptor == pb::JsonObject::descriptor()) {
    return ToStruct(static_cast<pb::JsonObject&>(message));
  }
  if (descriptor == pb::JsonValue::descriptor()) {
    return ToStruct(static_cast<pb::JsonValue&>(message));
  }
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor& field = *descriptor->field(i);
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field.is_repeated() && !reflection.HasField(message, &field)) continue;
    if (absl::Status status = ConvertField(field, message); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> JsonTextOf(const pb::JsonObject& object) {
  if (object.has_json()) {
    absl::Status status = base::ValidateJsonObject(object.json());
    if (!status.ok()) return status;
    return object.json();
  }
  std::string text;
  absl::Status status = WriteStruct(object.fields(), 1, text);
  if (!status.ok()) return status;
  return text;
}

absl::StatusOr<std::string> JsonTextOf(const pb::JsonValue& value) {
  if (value.has_json()) {
    absl::Status status = base::ValidateJson(value.json());
    if (!status.ok()) return status;
    return value.json();
  }
  std::string text;
  absl::Status status = WriteValue(value.value(), 1, text);
  if (!status.ok()) return status;
  return text;
}

absl::Status ConvertEncoding(pb::PayloadEncoding encoding, Message& message) {
  if (encoding == pb::PAYLOAD_ENCODING_JSON) return absl::OkStatus();
  return ConvertMessage(message);
}

}  // namespace atomemo::definition
