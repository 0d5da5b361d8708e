#ifndef ATOMEMO_BRIDGE_DEFINITION_TYPED_VALUES_H_
#define ATOMEMO_BRIDGE_DEFINITION_TYPED_VALUES_H_

#include <google/protobuf/repeated_field.h>

#include "absl/strings/string_view.h"
#include "atomemo/plugin/v1/payload.pb.h"

namespace atomemo::definition {

// The hub's values with a type of their own (objects with a known `__type__`) at any depth of
// `parameters`, the text of a JSON object, in document order. Lenient, as the hub is: members that
// are missing, null or of the wrong type stay unset, and text that is not JSON has no such values.
google::protobuf::RepeatedPtrField<::atomemo::plugin::v1::TypedValue> FindTypedValues(
    absl::string_view parameters);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_TYPED_VALUES_H_
