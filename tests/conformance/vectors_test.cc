// The official schema's verdicts, line by line: see the README of the conformance data for the
// format of the vectors.

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "bridge/base/json.h"
#include "bridge/definition/validate.h"
#include "gtest/gtest.h"
#include "tests/conformance/shared_data.h"

namespace atomemo::definition {
namespace {

using base::Json;

std::vector<Json> ReadVectors(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Json> vectors;
  for (std::string line; std::getline(file, line);) {
    auto vector = ParseDefinition(line);
    EXPECT_TRUE(vector.ok()) << vector.status() << " in line " << vectors.size() + 1;
    vectors.push_back(vector.ok() ? *vector : Json());
  }
  return vectors;
}

Json ToJson(const Path& path) {
  Json json = Json::array();
  for (const PathSegment& segment : path) {
    std::visit([&json](const auto& value) { json.push_back(value); }, segment);
  }
  return json;
}

bool IsPrefix(const Json& prefix, const Json& path) {
  return prefix.size() <= path.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

// What the official JavaScript schema drops without a word, and the bridge checks and keeps:
// members of the plugin documentation's and of the Elixir SDK's. Nothing else differs.
struct Kept {
  Schema schema;
  const char* member;
};
constexpr Kept kKept[] = {
    {Schema::kTool, "credentials"},     {Schema::kTool, "settings"},
    {Schema::kTool, "timeout"},         {Schema::kCredential, "type"},
    {Schema::kCredential, "help_url"},  {Schema::kCredential, "extra"},
    {Schema::kProperty, "description"}, {Schema::kProperty, "placeholder"},
    {Schema::kProperty, "secret"},
};

Json AsTheSchemaLeavesIt(Schema schema, Json value) {
  for (const Kept& kept : kKept) {
    if (kept.schema == schema && value.is_object()) value.erase(kept.member);
  }
  return value;
}

void ExpectAgreement(const Json& vector) {
  const Schema schema = SchemaFromName(vector["schema"].get<std::string>()).value();
  const Report report = Validate(schema, vector["value"]);
  std::string first =
      report.ok() ? "" : FormatPath(report.errors[0].path) + ": " + report.errors[0].message;
  ASSERT_EQ(report.ok(), vector["valid"].get<bool>()) << first;
  if (report.ok()) {
    const Json& expected = vector.contains("parsed") ? vector["parsed"] : vector["value"];
    EXPECT_EQ(Json::diff(AsTheSchemaLeavesIt(schema, report.value), expected), Json::array());
    return;
  }
  if (!vector.contains("error_paths")) return;
  for (const Json& official : vector["error_paths"]) {
    EXPECT_TRUE(
        std::any_of(report.errors.begin(), report.errors.end(),
                    [&](const Violation& ours) { return IsPrefix(official, ToJson(ours.path)); }))
        << "nothing reported at " << official << "; first: " << first;
  }
}

void ExpectAgreementOnAll(const std::vector<Json>& vectors) {
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE("line " + std::to_string(i + 1) + ": " + vectors[i]["why"].dump());
    ExpectAgreement(vectors[i]);
  }
}

TEST(Vectors, AgreeWithTheOfficialSchemaOnEveryLine) {
  const std::vector<Json> vectors = ReadVectors("tests/conformance/definition_vectors.jsonl");
  ASSERT_EQ(vectors.size(), 2438u);
  ExpectAgreementOnAll(vectors);
}

TEST(Vectors, AgreeWithTheOfficialSchemaOnRecordedDefinitions) {
  const auto dir = testing::SharedConformanceDir();
  if (!dir.has_value()) GTEST_SKIP() << "no shared conformance data: set ATOMEMO_CONFORMANCE_DIR";
  const std::vector<Json> vectors = ReadVectors(*dir / "recorded_vectors.jsonl");
  ASSERT_FALSE(vectors.empty());
  ExpectAgreementOnAll(vectors);
}

TEST(Corpus, IsAcceptedAndReachesTheHubUnchanged) {
  const auto dir = testing::SharedConformanceDir();
  if (!dir.has_value()) GTEST_SKIP() << "no shared conformance data: set ATOMEMO_CONFORMANCE_DIR";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*dir / "corpus")) {
    SCOPED_TRACE(entry.path());
    const auto definition = ParseDefinition(testing::ReadFile(entry.path()));
    ASSERT_TRUE(definition.ok()) << definition.status();
    const Report report = Validate(Schema::kDefinition, *definition);
    ASSERT_TRUE(report.ok()) << FormatPath(report.errors[0].path) << report.errors[0].message;
    EXPECT_EQ(base::DumpJson(report.value), base::DumpJson(*definition));
    for (const Violation& warning : report.warnings) {
      ADD_FAILURE() << FormatPath(warning.path) << ": " << warning.message;
    }
    ++files;
  }
  EXPECT_GE(files, 20);
}

}  // namespace
}  // namespace atomemo::definition
