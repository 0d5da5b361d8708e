#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/definition/messages.h"
#include "bridge/definition/typed.h"
#include "bridge/definition/typed_conventions.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {
namespace {

using base::Json;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;
using Step = ViolationSink::Step;

void FillValue(const Json& json, google::protobuf::Value& value);

void FillStruct(const Json& json, google::protobuf::Struct& object) {
  for (const auto& [name, member] : json.get_ref<const Json::object_t&>()) {
    FillValue(member, (*object.mutable_fields())[name]);
  }
}

void FillList(const Json& json, google::protobuf::ListValue& list) {
  for (const Json& element : json) FillValue(element, *list.add_values());
}

void FillValue(const Json& json, google::protobuf::Value& value) {
  switch (json.type()) {
    case Json::value_t::string:
      value.set_string_value(json.get_ref<const std::string&>());
      break;
    case Json::value_t::boolean:
      value.set_bool_value(json.get<bool>());
      break;
    case Json::value_t::object:
      FillStruct(json, *value.mutable_struct_value());
      break;
    case Json::value_t::array:
      FillList(json, *value.mutable_list_value());
      break;
    case Json::value_t::null:
      value.set_null_value(google::protobuf::NULL_VALUE);
      break;
    default:
      value.set_number_value(json.get<double>());
      break;
  }
}

const FieldDescriptor* FindField(const Descriptor& type, const std::string& json_name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->real_containing_oneof() == nullptr && field->json_name() == json_name &&
        !IsNeverSent(*field)) {
      return field;
    }
  }
  return nullptr;
}

const EnumValueDescriptor* FindWord(const EnumDescriptor& type, const std::string& word) {
  for (int i = 1; i < type.value_count(); ++i) {  // 0 is "unspecified"
    if (WordOf(*type.value(i)) == word) return type.value(i);
  }
  return nullptr;
}

// Fills messages from JSON objects. What does not fit is reported to the sink, and left out.
class MessageReader {
 public:
  explicit MessageReader(ViolationSink& sink) : sink_(sink) {}

  void Fill(const Json& json, Message& message) {
    if (!json.is_object()) return Mismatch("an object", json);
    const Descriptor& type = *message.GetDescriptor();
    for (const auto& [name, value] : json.get_ref<const Json::object_t&>()) {
      const FieldDescriptor* field = FindField(type, name);
      if (field == nullptr || (value.is_null() && !HoldsNull(*field))) continue;
      const Step step(sink_, name);
      FillField(value, message, *field);
    }
    for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
      FillOneof(json, message, *type.oneof_decl(i));
    }
  }

 private:
  void Mismatch(absl::string_view expected, const Json& found) {
    sink_.Error(absl::StrCat("expected ", expected, ", found ", Describe(found)));
  }

  static bool HoldsNull(const FieldDescriptor& field) {
    return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
           field.message_type()->full_name() == "google.protobuf.Value";
  }

  void FillOneof(const Json& json, Message& message, const OneofDescriptor& oneof) {
    const auto place = json.find(oneof.name());
    if (place == json.end() || place->is_null()) return;
    const Step step(sink_, absl::string_view(oneof.name()));
    for (int i = 0; i < oneof.field_count(); ++i) {
      const FieldDescriptor& field = *oneof.field(i);
      if (IsTagged(oneof) ? *place == field.json_name() : Fits(*place, field)) {
        return IsTagged(oneof) ? FillTagged(json, message, field)
                               : FillField(*place, message, field);
      }
    }
    Mismatch("a value that the typed form knows", *place);
  }

  // The members of the chosen message stand beside the tag.
  void FillTagged(const Json& json, Message& message, const FieldDescriptor& field) {
    Fill(json, *message.GetReflection()->MutableMessage(&message, &field));
  }

  static bool Fits(const Json& json, const FieldDescriptor& field) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return json.is_string();
      case FieldDescriptor::CPPTYPE_BOOL:
        return json.is_boolean();
      default:
        return json.is_number();
    }
  }

  void FillField(const Json& json, Message& message, const FieldDescriptor& field) {
    if (field.is_map()) return FillMap(json, message, field);
    if (!field.is_repeated()) return FillOne(json, message, field);
    if (!json.is_array()) return Mismatch("a list", json);
    for (std::size_t i = 0; i < json.size(); ++i) {
      const Step step(sink_, i);
      FillOne(json[i], message, field);
    }
  }

  void FillMap(const Json& json, Message& message, const FieldDescriptor& field) {
    if (!json.is_object()) return Mismatch("an object", json);
    for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
      const Step step(sink_, key);
      if (!value.is_string()) {
        Mismatch("a string", value);
        continue;
      }
      Message& entry = *message.GetReflection()->AddMessage(&message, &field);
      const Reflection& reflection = *entry.GetReflection();
      const Descriptor& type = *entry.GetDescriptor();
      reflection.SetString(&entry, type.map_key(), key);
      reflection.SetString(&entry, type.map_value(), value.get<std::string>());
    }
  }

  // Sets a field, or adds an element to a repeated one.
  void FillOne(const Json& json, Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    const auto put = [&](auto set, auto add, auto value) {
      if (field.is_repeated()) {
        (reflection.*add)(&message, &field, std::move(value));
      } else {
        (reflection.*set)(&message, &field, std::move(value));
      }
    };
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        if (!json.is_string()) return Mismatch("a string", json);
        return put(&Reflection::SetString, &Reflection::AddString, json.get<std::string>());
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!json.is_boolean()) return Mismatch("true or false", json);
        return put(&Reflection::SetBool, &Reflection::AddBool, json.get<bool>());
      case FieldDescriptor::CPPTYPE_DOUBLE:
        if (!json.is_number()) return Mismatch("a number", json);
        return put(&Reflection::SetDouble, &Reflection::AddDouble, json.get<double>());
      case FieldDescriptor::CPPTYPE_INT32:
        if (!IsInt32(json)) return Mismatch("a whole number", json);
        return put(&Reflection::SetInt32, &Reflection::AddInt32,
                   static_cast<std::int32_t>(json.get<double>()));
      case FieldDescriptor::CPPTYPE_ENUM: {
        const EnumValueDescriptor* value =
            json.is_string() ? FindWord(*field.enum_type(), json.get<std::string>()) : nullptr;
        if (value == nullptr) return Mismatch("a value that the typed form knows", json);
        return put(&Reflection::SetEnum, &Reflection::AddEnum, value);
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return FillSubmessage(json, field.is_repeated()
                                        ? *reflection.AddMessage(&message, &field)
                                        : *reflection.MutableMessage(&message, &field));
      default:
        return;  // the definitions use no other types
    }
  }

  static bool IsInt32(const Json& json) {
    if (!json.is_number()) return false;
    const double number = json.get<double>();
    return std::trunc(number) == number && number >= std::numeric_limits<std::int32_t>::min() &&
           number <= std::numeric_limits<std::int32_t>::max();
  }

  void FillSubmessage(const Json& json, Message& message) {
    if (auto* value = dynamic_cast<google::protobuf::Value*>(&message)) {
      FillValue(json, *value);
    } else if (auto* object = dynamic_cast<google::protobuf::Struct*>(&message)) {
      if (!json.is_object()) return Mismatch("an object", json);
      FillStruct(json, *object);
    } else if (auto* list = dynamic_cast<google::protobuf::ListValue*>(&message)) {
      if (!json.is_array()) return Mismatch("a list", json);
      FillList(json, *list);
    } else if (auto* duration = dynamic_cast<google::protobuf::Duration*>(&message)) {
      FillDuration(json, *duration);
    } else {
      Fill(json, message);
    }
  }

  void FillDuration(const Json& json, google::protobuf::Duration& duration) {
    if (!IsInt32(json)) return Mismatch("a whole number of milliseconds", json);
    const auto milliseconds = static_cast<std::int32_t>(json.get<double>());
    duration.set_seconds(milliseconds / 1000);
    duration.set_nanos(milliseconds % 1000 * 1'000'000);
  }

  ViolationSink& sink_;
};

absl::Status Read(const Json& json, Message& message) {
  ViolationSink sink;
  message.Clear();
  MessageReader(sink).Fill(json, message);
  if (sink.ok()) return absl::OkStatus();
  const Violation first = sink.TakeErrors().front();
  return absl::InvalidArgumentError(
      absl::StrCat(FormatPath(first.path), first.path.empty() ? "" : ": ", first.message));
}

}  // namespace

absl::Status FromJson(const Json& json, pb::PluginDefinition* plugin) {
  return Read(json, *plugin);
}
absl::Status FromJson(const Json& json, pb::CredentialDefinition* credential) {
  return Read(json, *credential);
}
absl::Status FromJson(const Json& json, pb::ToolDefinition* tool) { return Read(json, *tool); }
absl::Status FromJson(const Json& json, pb::ModelDefinition* model) { return Read(json, *model); }
absl::Status FromJson(const Json& json, pb::Parameter* parameter) { return Read(json, *parameter); }

}  // namespace atomemo::definition
