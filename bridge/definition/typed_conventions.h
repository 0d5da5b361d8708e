#ifndef ATOMEMO_BRIDGE_DEFINITION_TYPED_CONVENTIONS_H_
#define ATOMEMO_BRIDGE_DEFINITION_TYPED_CONVENTIONS_H_

#include <google/protobuf/descriptor.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// What the descriptors of the typed definitions mean for their JSON form; both directions use it.
namespace atomemo::definition {

// A field whose message type stands for JSON itself: Struct, Value or ListValue.
bool IsJsonMessage(const google::protobuf::Descriptor& type);
bool IsDuration(const google::protobuf::Descriptor& type);

// A oneof of messages is a tagged object, one of scalars is a value.
bool IsTagged(const google::protobuf::OneofDescriptor& oneof);

// Sent even if there is nothing in it: the hub requires the member.
bool IsSentIfEmpty(const google::protobuf::FieldDescriptor& field);
bool IsSentAsNull(const google::protobuf::FieldDescriptor& field);
// For the bridge's eyes only.
bool IsNeverSent(const google::protobuf::FieldDescriptor& field);

// The value of the member `__type__` that objects of this type have.
std::optional<std::string> ValueTypeOf(const google::protobuf::Descriptor& type);

// The hub's word for an enum's value.
std::string WordOf(const google::protobuf::EnumValueDescriptor& value);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_TYPED_CONVENTIONS_H_
