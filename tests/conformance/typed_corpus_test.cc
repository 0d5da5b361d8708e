// JSON -> typed form -> JSON is the identity on real definitions.

#include <filesystem>
#include <fstream>
#include <string>

#include "bridge/base/json.h"
#include "bridge/definition/typed.h"
#include "bridge/definition/validate.h"
#include "gtest/gtest.h"
#include "tests/conformance/shared_data.h"

namespace atomemo::definition {
namespace {

using base::Json;

template <typename Message>
void ExpectUnchanged(const Json& json) {
  Message message;
  ASSERT_EQ(FromJson(json, &message), absl::OkStatus());
  // Over the wire, as between a plugin and the bridge.
  Message received;
  ASSERT_TRUE(received.ParseFromString(message.SerializeAsString()));
  EXPECT_EQ(Json::diff(json, ToJson(received)), Json::array());
}

TEST(Corpus, SurvivesTheTypedForm) {
  const auto dir = testing::SharedConformanceDir();
  if (!dir.has_value()) GTEST_SKIP() << "no shared conformance data: set ATOMEMO_CONFORMANCE_DIR";
  int parts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*dir / "corpus")) {
    SCOPED_TRACE(entry.path());
    Json definition = ParseDefinition(testing::ReadFile(entry.path())).value();
    for (const Json& credential : definition["credentials"]) {
      ExpectUnchanged<pb::CredentialDefinition>(credential);
      ++parts;
    }
    for (const Json& tool : definition["tools"]) {
      ExpectUnchanged<pb::ToolDefinition>(tool);
      ++parts;
    }
    for (const Json& model : definition["models"]) {
      ExpectUnchanged<pb::ModelDefinition>(model);
      ++parts;
    }
    for (const char* list : {"credentials", "tools", "models"}) definition.erase(list);
    ExpectUnchanged<pb::PluginDefinition>(definition);
  }
  EXPECT_GE(parts, 100);
}

template <typename Message>
void ExpectValidAfterTyping(Schema schema, const Json& value) {
  Message message, again;
  ASSERT_EQ(FromJson(value, &message), absl::OkStatus());
  const Json typed = ToJson(message);
  EXPECT_TRUE(Validate(schema, typed).ok()) << typed;
  ASSERT_EQ(FromJson(typed, &again), absl::OkStatus());
  EXPECT_EQ(Json::diff(typed, ToJson(again)), Json::array());
}

TEST(Vectors, WhatIsValidStaysValidInTheTypedForm) {
  std::ifstream file("tests/conformance/definition_vectors.jsonl");
  int typed = 0;
  for (std::string line; std::getline(file, line);) {
    SCOPED_TRACE(line.substr(0, 300));
    const Json vector = ParseDefinition(line).value();
    const Schema schema = SchemaFromName(vector["schema"].get<std::string>()).value();
    const Report report = Validate(schema, vector["value"]);
    if (!report.ok()) continue;
    switch (schema) {
      case Schema::kPlugin:
        ExpectValidAfterTyping<pb::PluginDefinition>(schema, report.value);
        break;
      case Schema::kCredential:
        ExpectValidAfterTyping<pb::CredentialDefinition>(schema, report.value);
        break;
      case Schema::kTool:
        ExpectValidAfterTyping<pb::ToolDefinition>(schema, report.value);
        break;
      case Schema::kModel:
        ExpectValidAfterTyping<pb::ModelDefinition>(schema, report.value);
        break;
      case Schema::kProperty:
        ExpectValidAfterTyping<pb::Parameter>(schema, report.value);
        break;
      default:
        continue;
    }
    ++typed;
  }
  EXPECT_GE(typed, 800);
}

}  // namespace
}  // namespace atomemo::definition
