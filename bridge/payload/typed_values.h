#ifndef ATOMEMO_BRIDGE_PAYLOAD_TYPED_VALUES_H_
#define ATOMEMO_BRIDGE_PAYLOAD_TYPED_VALUES_H_

#include <google/protobuf/repeated_field.h>

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "atomemo/plugin/v1/payload.pb.h"

namespace atomemo::payload {

// Values that stand inside each other hold the same text again and again. Once those found come to
// more than this for parameters of such a size, the others are left out.
constexpr std::size_t MaxTypedValuesBytes(std::size_t parameters_bytes) {
  return 2 * parameters_bytes + (std::size_t{1} << 20);
}

// They are looked for on the thread that must not pause. So no more than so many are found, and of
// parameters that have more values of all kinds than so many, only what ends within the first ones.
inline constexpr std::size_t kMaxTypedValues = 10'000;
inline constexpr std::size_t kMaxVisitedValues = 200'000;

// The hub's values with a type of their own (objects with a known `__type__`) at any depth of
// `parameters`, the text of a JSON object, in document order. Parts of the text stand in them byte
// for byte. Lenient, as the hub is: members that are missing, null or of the wrong type stay unset,
// and text that is not JSON has no such values. But INVALID_ARGUMENT, with its place, for a
// file_ref without a known `source` or with a member of the wrong type, as in the official SDKs.
// Takes time and memory linear in the text, and within the bounds above.
absl::StatusOr<google::protobuf::RepeatedPtrField<::atomemo::plugin::v1::TypedValue>>
FindTypedValues(absl::string_view parameters);

}  // namespace atomemo::payload

#endif  // ATOMEMO_BRIDGE_PAYLOAD_TYPED_VALUES_H_
