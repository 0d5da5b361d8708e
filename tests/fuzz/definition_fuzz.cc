// A definition or a part of one: the schema's number, then JSON. What is accepted is accepted as it
// is said to be normalised, as text again, and in its typed form.
#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/base/json_error.h"
#include "bridge/definition/source_positions.h"
#include "bridge/definition/typed.h"
#include "bridge/definition/validate.h"
#include "tests/fuzz/fuzz_input.h"

namespace atomemo {
namespace {

using base::Json;
using definition::Report;
using definition::Schema;
namespace pb = definition::pb;

constexpr Schema kSchemas[] = {Schema::kDefinition,     Schema::kPlugin,  Schema::kCredential,
                               Schema::kTool,           Schema::kModel,   Schema::kProperty,
                               Schema::kI18n,           Schema::kFileRef, Schema::kResourceLocator,
                               Schema::kResourceMapper, Schema::kName,    Schema::kStrictName};

std::string Tell(const Report& report, const Json& value) {
  std::string text = base::DumpJson(value);
  for (const definition::Violation& violation : report.errors) {
    absl::StrAppend(&text, "\n", definition::FormatPath(violation.path), ": ", violation.message);
  }
  return text;
}

// What is accepted once stays so, and stays the same.
void ExpectStable(Schema schema, const Json& value) {
  const std::string text = base::DumpJson(value);
  const absl::StatusOr<Json> reread = definition::ParseDefinition(text);
  ATOMEMO_FUZZ_EXPECT(reread.ok(), absl::StrCat(reread.status().ToString(), "\n", text));
  ATOMEMO_FUZZ_EXPECT(base::DumpJson(*reread) == text, text);
  const Report again = definition::Validate(schema, *reread);
  ATOMEMO_FUZZ_EXPECT(again.ok(), Tell(again, value));
  ATOMEMO_FUZZ_EXPECT(base::DumpJson(again.value) == text,
                      absl::StrCat(text, "\n", base::DumpJson(again.value)));
}

template <typename Message>
void ThroughTypedForm(Schema schema, const Json& value) {
  Message typed;
  if (!definition::FromJson(value, &typed).ok()) return;
  const Report report = definition::Validate(schema, definition::ToJson(typed));
  ATOMEMO_FUZZ_EXPECT(report.ok(), absl::StrCat(base::DumpJson(value), "\n",
                                                Tell(report, definition::ToJson(typed))));
}

}  // namespace
}  // namespace atomemo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atomemo;  // NOLINT(google-build-using-namespace)
  absl::string_view text = fuzz::ViewOf(data, size);
  const Schema schema = kSchemas[fuzz::TakeChoice(text, std::size(kSchemas))];
  absl::StatusOr<Json> json = definition::ParseDefinition(text);
  if (!json.ok()) {
    if (const auto offset = base::JsonErrorOffset(json.status())) {
      ATOMEMO_FUZZ_EXPECT(*offset <= text.size(), json.status().ToString());
      definition::PositionOf(text, *offset);
      ATOMEMO_FUZZ_EXPECT(!base::JsonExcerpt(text, *offset).empty(), text);
    }
    return 0;
  }
  const Report report = definition::Validate(schema, *std::move(json));
  if (!report.ok()) {
    std::vector<definition::Path> paths;
    for (const definition::Violation& violation : report.errors) paths.push_back(violation.path);
    ATOMEMO_FUZZ_EXPECT(paths.size() <= definition::kMaxViolations + 1, "");
    ATOMEMO_FUZZ_EXPECT(definition::FindPositions(text, paths).size() == paths.size(), text);
    return 0;
  }
  ExpectStable(schema, report.value);
  if (schema == Schema::kDefinition) ThroughTypedForm<pb::PluginDefinition>(schema, report.value);
  if (schema == Schema::kCredential)
    ThroughTypedForm<pb::CredentialDefinition>(schema, report.value);
  if (schema == Schema::kTool) ThroughTypedForm<pb::ToolDefinition>(schema, report.value);
  if (schema == Schema::kModel) ThroughTypedForm<pb::ModelDefinition>(schema, report.value);
  if (schema == Schema::kProperty) ThroughTypedForm<pb::Parameter>(schema, report.value);
  return 0;
}
