#include "bridge/definition/validate.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/definition/checker.h"
#include "bridge/definition/lint.h"
#include "bridge/definition/rule_book.h"

namespace atomemo::definition {
namespace {

using base::Json;

constexpr std::pair<absl::string_view, Schema> kSchemas[] = {
    {"definition", Schema::kDefinition},
    {"plugin", Schema::kPlugin},
    {"credential", Schema::kCredential},
    {"tool", Schema::kTool},
    {"model", Schema::kModel},
    {"property", Schema::kProperty},
    {"i18n", Schema::kI18n},
    {"file_ref", Schema::kFileRef},
    {"resource_locator", Schema::kResourceLocator},
    {"resource_mapper", Schema::kResourceMapper},
    {"name", Schema::kName},
    {"strict_name", Schema::kStrictName},
};

// Whether `value` has containers within more than `levels` levels.
bool IsDeeper(const Json& value, int levels) {
  if (!value.is_structured()) return false;
  if (levels == 0) return true;
  for (const Json& element : value) {
    if (IsDeeper(element, levels - 1)) return true;
  }
  return false;
}

}  // namespace

std::optional<Schema> SchemaFromName(absl::string_view name) {
  for (const auto& [known, schema] : kSchemas) {
    if (known == name) return schema;
  }
  return std::nullopt;
}

absl::string_view NameOf(Schema schema) {
  for (const auto& [name, known] : kSchemas) {
    if (known == schema) return name;
  }
  return {};
}

absl::StatusOr<Json> ParseDefinition(absl::string_view text) {
  if (text.size() > kMaxDefinitionBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a definition may have at most ",
                                                   kMaxDefinitionBytes, " bytes, this one has ",
                                                   text.size()));
  }
  return base::ParseJson(text, kMaxDefinitionDepth);
}

Report Validate(Schema schema, Json value) {
  ViolationSink sink;
  if (IsDeeper(value, kMaxDefinitionDepth)) {
    sink.Error(absl::StrCat("JSON may be nested at most ", kMaxDefinitionDepth, " levels deep"));
  } else {
    ApplyRule(RuleFor(schema), value, sink);
    if (sink.ok()) Lint(schema, value, sink);
  }
  Report report;
  if (sink.ok()) report.value = std::move(value);
  report.errors = sink.TakeErrors();
  report.warnings = sink.TakeWarnings();
  return report;
}

}  // namespace atomemo::definition
