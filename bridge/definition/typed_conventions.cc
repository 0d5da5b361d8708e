#include "bridge/definition/typed_conventions.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace atomemo::definition {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;

constexpr absl::string_view kPackage = "atomemo.plugin.v1.";

constexpr absl::string_view kSentIfEmpty[] = {
    "CredentialDefinition.parameters",
    "DiscriminatedUnionParameter.any_of",
    "ModelDefinition.input_modalities",
    "ModelDefinition.output_modalities",
    "ModelDefinition.unsupported_parameters",
    "ObjectParameter.properties",
    "PluginDefinition.locales",
    "ResourceLocatorParameter.modes",
    "ToolDefinition.parameters",
};
constexpr absl::string_view kSentAsNull[] = {
    "ResourceLocatorDefault.value",
    "ResourceMapperDefault.value",
};
constexpr absl::string_view kNeverSent[] = {
    "ToolDefinition.locator_methods",
    "ToolDefinition.mapping_methods",
};

template <std::size_t N>
bool IsListed(const FieldDescriptor& field, const absl::string_view (&list)[N]) {
  const absl::string_view name = absl::StripPrefix(field.full_name(), kPackage);
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

}  // namespace

bool IsJsonMessage(const Descriptor& type) {
  return type.full_name() == "google.protobuf.Struct" ||
         type.full_name() == "google.protobuf.Value" ||
         type.full_name() == "google.protobuf.ListValue";
}

bool IsDuration(const Descriptor& type) { return type.full_name() == "google.protobuf.Duration"; }

bool IsTagged(const OneofDescriptor& oneof) {
  return oneof.field(0)->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

bool IsSentIfEmpty(const FieldDescriptor& field) { return IsListed(field, kSentIfEmpty); }
bool IsSentAsNull(const FieldDescriptor& field) { return IsListed(field, kSentAsNull); }
bool IsNeverSent(const FieldDescriptor& field) { return IsListed(field, kNeverSent); }

std::optional<std::string> ValueTypeOf(const Descriptor& type) {
  if (type.name() == "ResourceLocatorDefault") return "resource_locator";
  if (type.name() == "ResourceMapperDefault") return "resource_mapper";
  return std::nullopt;
}

std::string WordOf(const EnumValueDescriptor& value) {
  if (value.name() == "SIZE_EXTRA_SMALL") return "extra-small";
  // Every enum starts with {PREFIX}_UNSPECIFIED.
  absl::string_view prefix = value.type()->value(0)->name();
  absl::ConsumeSuffix(&prefix, "UNSPECIFIED");
  return absl::AsciiStrToLower(absl::StripPrefix(value.name(), prefix));
}

}  // namespace atomemo::definition
