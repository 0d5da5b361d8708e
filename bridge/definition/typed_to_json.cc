#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bridge/definition/typed.h"
#include "bridge/definition/typed_conventions.h"

namespace atomemo::definition {
namespace {

using base::Json;
using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

Json MessageToJson(const Message& message);

// Integers are written as such, as long as a double holds them exactly.
Json NumberToJson(double number) {
  constexpr double kExactIntegers = 9007199254740992;  // 2^53
  if (std::fabs(number) <= kExactIntegers && std::trunc(number) == number) {
    return static_cast<std::int64_t>(number);
  }
  return number;
}

template <typename Members>
std::vector<typename Members::const_pointer> SortedByName(const Members& members) {
  std::vector<typename Members::const_pointer> sorted;
  for (const auto& member : members) sorted.push_back(&member);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  return sorted;
}

Json ValueToJson(const google::protobuf::Value& value);

Json StructToJson(const google::protobuf::Struct& object) {
  Json::object_t members;
  for (const auto* member : SortedByName(object.fields())) {
    members.emplace_back(member->first, ValueToJson(member->second));
  }
  return members;
}

Json ListToJson(const google::protobuf::ListValue& list) {
  Json::array_t elements;
  for (const auto& element : list.values()) elements.push_back(ValueToJson(element));
  return elements;
}

Json ValueToJson(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue:
      return NumberToJson(value.number_value());
    case google::protobuf::Value::kStringValue:
      return value.string_value();
    case google::protobuf::Value::kBoolValue:
      return value.bool_value();
    case google::protobuf::Value::kStructValue:
      return StructToJson(value.struct_value());
    case google::protobuf::Value::kListValue:
      return ListToJson(value.list_value());
    default:
      return nullptr;
  }
}

double Milliseconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) * 1e3 + duration.nanos() / 1e6;
}

Json SubmessageToJson(const Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  if (const auto* value = dynamic_cast<const google::protobuf::Value*>(&message)) {
    return ValueToJson(*value);
  }
  if (const auto* object = dynamic_cast<const google::protobuf::Struct*>(&message)) {
    return StructToJson(*object);
  }
  if (const auto* list = dynamic_cast<const google::protobuf::ListValue*>(&message)) {
    return ListToJson(*list);
  }
  if (IsDuration(type)) {
    return NumberToJson(Milliseconds(static_cast<const google::protobuf::Duration&>(message)));
  }
  return MessageToJson(message);
}

// Writes the fields of a message as members of a JSON object.
class MemberWriter {
 public:
  MemberWriter(const Message& message, Json::object_t& members)
      : message_(message), reflection_(*message.GetReflection()), members_(members) {}

  void Write() {
    const Descriptor& type = *message_.GetDescriptor();
    if (const auto value_type = ValueTypeOf(type)) members_.emplace_back("__type__", *value_type);
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (IsNeverSent(field)) continue;
      if (field.is_map()) {
        WriteMap(field);
      } else if (field.is_repeated()) {
        WriteList(field);
      } else if (const OneofDescriptor* oneof = field.real_containing_oneof()) {
        if (reflection_.HasField(message_, &field)) WriteOneof(*oneof, field);
      } else if (reflection_.HasField(message_, &field)) {
        members_.emplace_back(field.json_name(), Single(field));
      } else if (IsSentAsNull(field)) {
        members_.emplace_back(field.json_name(), nullptr);
      }
    }
  }

 private:
  void WriteOneof(const OneofDescriptor& oneof, const FieldDescriptor& field) {
    if (!IsTagged(oneof)) {
      members_.emplace_back(oneof.name(), Single(field));
      return;
    }
    members_.emplace_back(oneof.name(), field.json_name());
    MemberWriter(reflection_.GetMessage(message_, &field), members_).Write();
  }

  // A map from string to string.
  void WriteMap(const FieldDescriptor& field) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (int i = 0; i < reflection_.FieldSize(message_, &field); ++i) {
      const Message& entry = reflection_.GetRepeatedMessage(message_, &field, i);
      const Reflection& reflection = *entry.GetReflection();
      const Descriptor& type = *entry.GetDescriptor();
      entries.emplace_back(reflection.GetString(entry, type.map_key()),
                           reflection.GetString(entry, type.map_value()));
    }
    if (entries.empty()) return;
    std::sort(entries.begin(), entries.end());
    Json::object_t object;
    for (auto& [key, value] : entries) object.emplace_back(key, std::move(value));
    members_.emplace_back(field.json_name(), std::move(object));
  }

  void WriteList(const FieldDescriptor& field) {
    const int size = reflection_.FieldSize(message_, &field);
    if (size == 0 && !IsSentIfEmpty(field)) return;
    Json::array_t list;
    for (int i = 0; i < size; ++i) list.push_back(Element(field, i));
    members_.emplace_back(field.json_name(), std::move(list));
  }

  Json EnumToJson(const FieldDescriptor& field, int number) const {
    const EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
    return value == nullptr ? Json(number) : Json(WordOf(*value));
  }

  Json Single(const FieldDescriptor& field) const {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection_.GetString(message_, &field);
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection_.GetBool(message_, &field);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return NumberToJson(reflection_.GetDouble(message_, &field));
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection_.GetInt32(message_, &field);
      case FieldDescriptor::CPPTYPE_ENUM:
        return EnumToJson(field, reflection_.GetEnumValue(message_, &field));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return SubmessageToJson(reflection_.GetMessage(message_, &field));
      default:
        return nullptr;  // the definitions use no other types
    }
  }

  Json Element(const FieldDescriptor& field, int i) const {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection_.GetRepeatedString(message_, &field, i);
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection_.GetRepeatedBool(message_, &field, i);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return NumberToJson(reflection_.GetRepeatedDouble(message_, &field, i));
      case FieldDescriptor::CPPTYPE_ENUM:
        return EnumToJson(field, reflection_.GetRepeatedEnumValue(message_, &field, i));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return SubmessageToJson(reflection_.GetRepeatedMessage(message_, &field, i));
      default:
        return nullptr;  // the definitions use no other types
    }
  }

  const Message& message_;
  const Reflection& reflection_;
  Json::object_t& members_;
};

Json MessageToJson(const Message& message) {
  Json::object_t members;
  MemberWriter(message, members).Write();
  return members;
}

}  // namespace

Json ToJson(const pb::PluginDefinition& plugin) { return MessageToJson(plugin); }
Json ToJson(const pb::CredentialDefinition& credential) { return MessageToJson(credential); }
Json ToJson(const pb::ToolDefinition& tool) { return MessageToJson(tool); }
Json ToJson(const pb::ModelDefinition& model) { return MessageToJson(model); }
Json ToJson(const pb::Parameter& parameter) { return MessageToJson(parameter); }

}  // namespace atomemo::definition
