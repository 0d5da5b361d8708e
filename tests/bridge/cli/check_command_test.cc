#include "bridge/cli/check_command.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "bridge/base/json.h"
#include "bridge/cli/schema_command.h"

namespace atomemo::cli {
namespace {

using base::Json;
using definition::Schema;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kValidI18n[] = R"({"en_US": "x"})";

class CheckCommandTest : public ::testing::Test {
 protected:
  int Run(const CheckOptions& options, const std::string& input = "") {
    std::istringstream in(input);
    out_.str("");
    err_.str("");
    return RunCheck(options, in, out_, err_);
  }
  int RunOnText(const std::string& text, CheckFormat format = CheckFormat::kText) {
    CheckOptions options;
    options.files = {"-"};
    options.schema = Schema::kI18n;
    options.format = format;
    return Run(options, text);
  }
  int RunOnLines(const std::string& lines) {
    CheckOptions options;
    options.jsonl = true;
    options.schema = Schema::kI18n;
    return Run(options, lines);
  }

  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CheckCommandTest, AValidFileIsExitCodeZero) {
  EXPECT_EQ(RunOnText(kValidI18n), 0);
  EXPECT_EQ(out_.str(), "-: valid\n");
}

TEST_F(CheckCommandTest, AFaultIsNamedWithItsLineAndColumn) {
  EXPECT_EQ(RunOnText("{\n  \"en_US\": 5\n}"), 1);
  EXPECT_EQ(out_.str(),
            "-:2:3: error: en_US: expected a string, the text for this locale, found the number 5\n"
            "-: not valid, 1 error\n");
}

TEST_F(CheckCommandTest, TextThatIsNotJsonIsInvalidWhereTheParserGaveUp) {
  EXPECT_EQ(RunOnText("{\n  \"en_US\": \"x\",\n}"), 1);
  EXPECT_THAT(out_.str(), StartsWith("-:3:1: error: not valid JSON"));
}

TEST_F(CheckCommandTest, WarningsDoNotMakeAFileInvalid) {
  CheckOptions options;
  options.files = {"-"};
  options.schema = Schema::kProperty;
  EXPECT_EQ(Run(options, R"({"name": "p", "type": "string", "defualt": "x"})"), 0);
  EXPECT_THAT(out_.str(), StartsWith("-:1:33: warning: defualt: "));
  EXPECT_THAT(out_.str(), HasSubstr("-: valid, 1 warning\n"));
}

TEST_F(CheckCommandTest, JsonFormatHasPathsAndPositions) {
  EXPECT_EQ(RunOnText("{\"en_US\": 5}", CheckFormat::kJson), 1);
  const Json verdict = Json::parse(out_.str());
  EXPECT_EQ(verdict["file"], "-");
  EXPECT_EQ(verdict["valid"], false);
  EXPECT_EQ(verdict["errors"][0]["path"], Json::array({"en_US"}));
  EXPECT_EQ(verdict["errors"][0]["line"], 1);
  EXPECT_EQ(verdict["errors"][0]["column"], 2);
  EXPECT_THAT(verdict["warnings"], IsEmpty());
}

TEST_F(CheckCommandTest, AFileThatCannotBeReadIsUnusable) {
  CheckOptions options;
  options.files = {"/nonexistent/definition.json", "/"};
  EXPECT_EQ(Run(options), 2);
  EXPECT_THAT(err_.str(), HasSubstr("cannot read /nonexistent/definition.json: No such file"));
  EXPECT_THAT(err_.str(), HasSubstr("cannot read /: Is a directory"));
}

TEST_F(CheckCommandTest, UnusableOutweighsInvalid) {
  CheckOptions options;
  options.files = {"/nonexistent", "-"};
  EXPECT_EQ(Run(options, "{}"), 2);
  EXPECT_THAT(out_.str(), HasSubstr("-: not valid"));
}

TEST_F(CheckCommandTest, WhatAPluginDoesNotSayOfItselfIsAWarning) {
  CheckOptions options;
  options.files = {"-"};
  options.schema = Schema::kPlugin;
  EXPECT_EQ(Run(options, R"({"name": "my-plugin", "display_name": {"en_US": "x"}, "icon": "x",
      "description": {"en_US": "x"}, "locales": [], "lang": "typescript", "version": "1_0"})"),
            0);
  EXPECT_THAT(out_.str(), HasSubstr("warning: author: is missing"));
  EXPECT_THAT(out_.str(), HasSubstr("warning: email: is missing"));
  EXPECT_THAT(out_.str(), HasSubstr("-:2:75: warning: version: expected a version such as 1.0.0"));
}

TEST_F(CheckCommandTest, EachLineGetsAVerdict) {
  EXPECT_EQ(RunOnLines(std::string(kValidI18n) + "\n{}\nnonsense\n\n"), 1);
  std::istringstream lines(out_.str());
  std::vector<Json> verdicts;
  for (std::string line; std::getline(lines, line);) verdicts.push_back(Json::parse(line));
  ASSERT_EQ(verdicts.size(), 4u);
  EXPECT_EQ(verdicts[0], Json::parse(R"({"valid": true, "errors": [], "warnings": []})"));
  EXPECT_EQ(verdicts[1]["errors"][0]["path"], Json::array({"en_US"}));
  EXPECT_EQ(verdicts[2]["valid"], false);
  EXPECT_EQ(verdicts[3]["valid"], false);
}

TEST_F(CheckCommandTest, ValidLinesAreExitCodeZero) {
  EXPECT_EQ(RunOnLines(std::string(kValidI18n) + "\n" + kValidI18n), 0);
  EXPECT_EQ(RunOnLines(""), 0);
}

TEST_F(CheckCommandTest, OptionsThatMakeNoSenseAreUnusable) {
  EXPECT_EQ(Run({}), 2);
  CheckOptions options;
  options.jsonl = true;
  options.files = {"x"};
  EXPECT_EQ(Run(options), 2);
}

TEST_F(CheckCommandTest, AFullDiskIsReported) {
  std::ofstream full("/dev/full");
  std::istringstream in(kValidI18n);
  CheckOptions options;
  options.files = {"-"};
  options.schema = Schema::kI18n;
  EXPECT_EQ(RunCheck(options, in, full, err_), 2);
}

TEST(SchemaCommand, PrintsAJsonSchema) {
  std::ostringstream out;
  EXPECT_EQ(RunSchema({}, out), 0);
  const Json schema = Json::parse(out.str());
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_TRUE(schema["$defs"].contains("definition"));
}

TEST(SchemaCommand, StrictSchemasRefuseMembersThatWouldBeDropped) {
  std::ostringstream lenient, strict;
  EXPECT_EQ(RunSchema({Schema::kTool, false}, lenient), 0);
  EXPECT_EQ(RunSchema({Schema::kTool, true}, strict), 0);
  EXPECT_FALSE(Json::parse(lenient.str())["$defs"]["tool"].contains("additionalProperties"));
  EXPECT_EQ(Json::parse(strict.str())["$defs"]["tool"]["additionalProperties"], false);
}

}  // namespace
}  // namespace atomemo::cli
