#include "bridge/payload/payload.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "bridge/base/json.h"
#include "bridge/base/json_error.h"
#include "bridge/base/json_string.h"
#include "bridge/definition/messages.h"

namespace atomemo::payload {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::ListValue;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::google::protobuf::Struct;
using ::google::protobuf::Value;

constexpr absl::string_view kExcerptPayload = "atomemo/json-excerpt";

// What of the text `error` is about, for MessageWithExcerpt.
absl::Status WithExcerpt(absl::Status error, absl::string_view excerpt) {
  error.SetPayload(kExcerptPayload, absl::Cord(excerpt));
  return error;
}

// ---- Struct to text

constexpr double kMaxExactInteger = 9007199254740992.0;  // 2^53

// In a form that every reader of JSON takes: whole numbers beyond 2^53 get an exponent, so that
// none looks like an integer of more than 64 bits.
std::string NumberText(double number) {
  if (number == 0 && std::signbit(number)) return "-0.0";
  char buffer[32];
  char* const end = buffer + sizeof(buffer);
  std::to_chars_result result{};
  if (std::trunc(number) != number) {
    result = std::to_chars(buffer, end, number);
  } else if (std::abs(number) <= kMaxExactInteger) {
    result = std::to_chars(buffer, end, static_cast<std::int64_t>(number));
  } else {
    result = std::to_chars(buffer, end, number, std::chars_format::scientific);
  }
  return std::string(buffer, result.ptr);
}

class StructWriter {
 public:
  explicit StructWriter(int max_depth) : max_depth_(max_depth) {}

  absl::StatusOr<std::string> Write(const Struct& object) && {
    return std::move(*this).Finish(WriteStruct(object, 1));
  }
  absl::StatusOr<std::string> Write(const Value& value) && {
    return std::move(*this).Finish(WriteValue(value, 1));
  }

 private:
  absl::StatusOr<std::string> Finish(absl::Status status) && {
    if (status.ok()) return std::move(out_);
    return WithExcerpt(std::move(status), absl::StrCat("at ", definition::Excerpt(where_)));
  }

  absl::Status WriteStruct(const Struct& object, int depth) {
    if (depth > max_depth_) return TooDeep();
    out_ += '{';
    const char* separator = "";
    for (const auto& [name, member] : object.fields()) {
      out_ += separator;
      base::AppendQuoted(name, out_);
      out_ += ':';
      separator = ",";
      if (absl::Status status = WriteValue(member, depth + 1); !status.ok()) {
        return Inside(name, std::move(status));
      }
    }
    out_ += '}';
    return absl::OkStatus();
  }

  absl::Status WriteList(const ListValue& list, int depth) {
    if (depth > max_depth_) return TooDeep();
    out_ += '[';
    for (int i = 0; i < list.values_size(); ++i) {
      if (i > 0) out_ += ',';
      if (absl::Status status = WriteValue(list.values(i), depth + 1); !status.ok()) {
        return Inside(absl::StrCat(i), std::move(status));
      }
    }
    out_ += ']';
    return absl::OkStatus();
  }

  // `depth` is the level of a container that stands here, counted from 1.
  absl::Status WriteValue(const Value& value, int depth) {
    switch (value.kind_case()) {
      case Value::kNullValue:
      case Value::KIND_NOT_SET:
        out_ += "null";
        return absl::OkStatus();
      case Value::kBoolValue:
        out_ += value.bool_value() ? "true" : "false";
        return absl::OkStatus();
      case Value::kNumberValue:
        if (!std::isfinite(value.number_value())) return NoNumber(value.number_value());
        out_ += NumberText(value.number_value());
        return absl::OkStatus();
      case Value::kStringValue:
        base::AppendQuoted(value.string_value(), out_);
        return absl::OkStatus();
      case Value::kStructValue:
        return WriteStruct(value.struct_value(), depth);
      case Value::kListValue:
        return WriteList(value.list_value(), depth);
    }
    return absl::InternalError("unknown kind of google.protobuf.Value");
  }

  // The place is put together on the way back, when something is wrong.
  absl::Status Inside(absl::string_view name, absl::Status status) {
    where_ = absl::StrCat(definition::CutText(name, definition::kMaxExcerpt),
                          where_.empty() ? "" : ".", where_);
    return status;
  }

  static absl::Status NoNumber(double number) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::isnan(number) ? "NaN" : "Infinity", " is no JSON: use null"));
  }

  absl::Status TooDeep() const {
    return absl::InvalidArgumentError(
        absl::StrCat("JSON is nested deeper than ", max_depth_, " levels"));
  }

  const int max_depth_;
  std::string out_;
  std::string where_;
};

// ---- Text to Struct

// Builds a Struct or a Value straight from the text.
class StructReader {
 public:
  explicit StructReader(absl::string_view text) : reader_(text, base::JsonReader::kMaxDepth) {}

  absl::Status Read(Struct& out) && {
    ReadStruct(1, out);
    return std::move(*this).Finish();
  }
  absl::Status Read(Value& out) && {
    ReadValue(1, out);
    return std::move(*this).Finish();
  }

 private:
  absl::Status Finish() && {
    reader_.End();
    return status_.ok() ? reader_.status() : status_;
  }

  bool ReadStruct(int depth, Struct& out) {
    if (depth > kMaxStructDepth) return FailDepth();
    if (!reader_.BeginObject()) return false;
    auto& fields = *out.mutable_fields();
    std::string name;
    while (reader_.NextMember(name)) {
      Value& value = fields[name];
      value.Clear();  // of members with the same name the last one counts
      // The map's entry and the Value in it are messages too.
      if (!ReadValue(depth + 2, value)) return false;
    }
    return reader_.ok();
  }

  bool ReadList(int depth, ListValue& out) {
    if (depth > kMaxStructDepth) return FailDepth();
    if (!reader_.BeginArray()) return false;
    while (reader_.NextElement()) {
      if (!ReadValue(depth + 1, *out.add_values())) return false;
    }
    return reader_.ok();
  }

  // `depth` is how deep `value` itself is nested, counted in protobuf messages.
  bool ReadValue(int depth, Value& value) {
    switch (reader_.Peek()) {
      case '{':
        return ReadStruct(depth + 1, *value.mutable_struct_value());
      case '[':
        return ReadList(depth + 1, *value.mutable_list_value());
      case '"':
        return reader_.ReadString(*value.mutable_string_value());
      default:
        return ReadLiteral(value);
    }
  }

  bool ReadLiteral(Value& value) {
    absl::string_view literal;
    if (!reader_.Skip(literal)) return false;
    switch (literal.front()) {
      case 't':
      case 'f':
        value.set_bool_value(literal.front() == 't');
        return true;
      case 'n':
        value.set_null_value(google::protobuf::NULL_VALUE);
        return true;
      default:
        return ReadNumber(literal, value);
    }
  }

  bool ReadNumber(absl::string_view literal, Value& value) {
    const absl::StatusOr<double> number = base::NearestDouble(literal);
    if (!number.ok())
      return Fail(absl::StrCat(number.status().message(), ", and so beyond what a "));
    value.set_number_value(*number);
    return true;
  }

  bool FailDepth() { return Fail("JSON is nested deeper (about 30 objects or 45 arrays) than a "); }

  bool Fail(absl::string_view why) {
    status_ = absl::InvalidArgumentError(absl::StrCat(
        why, "google.protobuf.Struct can take: open the session with PAYLOAD_ENCODING_JSON"));
    return false;
  }

  base::JsonReader reader_;
  absl::Status status_;
};

// `checked`, with an excerpt of `text` if it is an error.
absl::StatusOr<std::string> Checked(absl::string_view text, absl::StatusOr<std::string> checked) {
  const std::optional<std::size_t> offset = base::JsonErrorOffset(checked.status());
  if (!offset) return checked;
  return WithExcerpt(checked.status(), absl::StrCat("near ", base::JsonExcerpt(text, *offset)));
}

absl::Status ToStruct(pb::JsonObject& object) {
  if (!object.has_json()) return absl::OkStatus();
  const std::unique_ptr<std::string> text(object.release_json());
  return StructReader(*text).Read(*object.mutable_fields());
}

absl::Status ToStruct(pb::JsonValue& value) {
  if (!value.has_json()) return absl::OkStatus();
  const std::unique_ptr<std::string> text(value.release_json());
  return StructReader(*text).Read(*value.mutable_value());
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

absl::StatusOr<std::string> JsonTextOf(const pb::JsonObject& object, int max_depth) {
  if (!object.has_json()) return StructWriter(max_depth).Write(object.fields());
  return Checked(object.json(), base::CheckJsonObject(object.json(), max_depth));
}

absl::StatusOr<std::string> JsonTextOf(const pb::JsonValue& value, int max_depth) {
  if (!value.has_json()) return StructWriter(max_depth).Write(value.value());
  return Checked(value.json(), base::CheckJson(value.json(), max_depth));
}

absl::StatusOr<std::string> JsonTextOf(pb::JsonValue&& value) {
  if (!value.has_json()) return JsonTextOf(value);
  std::string& text = *value.mutable_json();
  base::JsonReader reader(text, base::kMaxJsonDepth);
  const bool can_be_passed_on = reader.Skip() && reader.End() && !reader.has_lone_surrogates();
  return can_be_passed_on ? absl::StatusOr<std::string>(std::move(text)) : JsonTextOf(value);
}

std::string MessageWithExcerpt(const absl::Status& error) {
  const absl::optional<absl::Cord> excerpt = error.GetPayload(kExcerptPayload);
  if (!excerpt) return std::string(error.message());
  return absl::StrCat(error.message(), " (", std::string(*excerpt), ")");
}

absl::Status ConvertEncoding(pb::PayloadEncoding encoding, Message& message) {
  if (encoding == pb::PAYLOAD_ENCODING_JSON) return absl::OkStatus();
  return ConvertMessage(message);
}

}  // namespace atomemo::payload
