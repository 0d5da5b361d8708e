#include "bridge/cli/check_command.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/base/json_error.h"
#include "bridge/definition/lint.h"
#include "bridge/definition/source_positions.h"

namespace atomemo::cli {
namespace {

using base::Json;
using definition::Path;
using definition::Report;
using definition::SourcePosition;
using definition::Violation;

constexpr int kValid = 0;
constexpr int kInvalid = 1;
constexpr int kUnusable = 2;

// One more byte than a definition may have: enough to see that there are too many.
constexpr std::size_t kReadLimit = definition::kMaxDefinitionBytes + 1;

// A verdict with the places of what it complains of.
struct Verdict {
  Report report;
  std::vector<SourcePosition> errors;
  std::vector<SourcePosition> warnings;
};

std::string ReadAll(std::istream& in) {
  std::string text;
  constexpr std::size_t kChunk = 64 * 1024;
  while (in && text.size() < kReadLimit) {
    const std::size_t size = text.size();
    text.resize(std::min(size + kChunk, kReadLimit));
    in.read(text.data() + size, static_cast<std::streamsize>(text.size() - size));
    text.resize(size + static_cast<std::size_t>(in.gcount()));
  }
  return text;
}

// The next line; nothing at the end. What is beyond the limit is dropped.
std::optional<std::string> ReadLine(std::istream& in) {
  std::string line;
  bool any = false;
  for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
    any = true;
    if (c == '\n') break;
    if (line.size() < kReadLimit) line.push_back(static_cast<char>(c));
  }
  if (!any) return std::nullopt;
  return line;
}

std::optional<std::string> ReadFile(const std::string& file, std::istream& in, std::ostream& err) {
  if (file == "-") return ReadAll(in);
  std::ifstream stream(file, std::ios::binary);
  std::string text = stream ? ReadAll(stream) : std::string();
  if (stream.is_open() && !stream.bad()) return text;
  err << "atomemo-bridge check: cannot read " << file << ": " << std::strerror(errno) << "\n";
  return std::nullopt;
}

Report Judge(definition::Schema schema, absl::StatusOr<Json> value) {
  Report report;
  if (value.ok()) {
    report = Validate(schema, *std::move(value));
    if (!report.ok()) return report;
    for (Violation& warning : definition::LintForOtherSdks(schema, report.value)) {
      report.warnings.push_back(std::move(warning));
    }
    return report;
  }
  report.errors.push_back({{}, std::string(value.status().message())});
  return report;
}

std::vector<Path> PathsOf(const std::vector<Violation>& violations) {
  std::vector<Path> paths;
  paths.reserve(violations.size());
  for (const Violation& violation : violations) paths.push_back(violation.path);
  return paths;
}

Verdict JudgeText(definition::Schema schema, const std::string& text) {
  absl::StatusOr<Json> value = definition::ParseDefinition(text);
  Verdict verdict;
  if (!value.ok()) {
    const std::size_t offset = base::JsonErrorOffset(value.status()).value_or(0);
    verdict.report = Judge(schema, std::move(value));
    verdict.errors = {definition::PositionOf(text, offset)};
    return verdict;
  }
  verdict.report = Judge(schema, std::move(value));
  verdict.errors = definition::FindPositions(text, PathsOf(verdict.report.errors));
  verdict.warnings = definition::FindPositions(text, PathsOf(verdict.report.warnings));
  return verdict;
}

Json ToJson(const std::vector<Violation>& violations,
            const std::vector<SourcePosition>* positions = nullptr) {
  Json list = Json::array();
  for (std::size_t i = 0; i < violations.size(); ++i) {
    Json path = Json::array();
    for (const definition::PathSegment& segment : violations[i].path) {
      std::visit([&path](const auto& value) { path.push_back(value); }, segment);
    }
    Json entry = {{"path", std::move(path)}, {"message", violations[i].message}};
    if (positions != nullptr) {
      entry["line"] = (*positions)[i].line;
      entry["column"] = (*positions)[i].column;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

void PrintLines(const std::string& file, const char* kind, const std::vector<Violation>& violations,
                const std::vector<SourcePosition>& positions, std::ostream& out) {
  for (std::size_t i = 0; i < violations.size(); ++i) {
    const std::string path = definition::FormatPath(violations[i].path);
    out << file << ":" << positions[i].line << ":" << positions[i].column << ": " << kind << ": "
        << path << (path.empty() ? "" : ": ") << violations[i].message << "\n";
  }
}

std::string Count(std::size_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

void Print(const std::string& file, const Verdict& verdict, CheckFormat format, std::ostream& out) {
  const Report& report = verdict.report;
  if (format == CheckFormat::kJson) {
    out << base::DumpJson({{"file", file},
                           {"valid", report.ok()},
                           {"errors", ToJson(report.errors, &verdict.errors)},
                           {"warnings", ToJson(report.warnings, &verdict.warnings)}})
        << "\n";
    return;
  }
  PrintLines(file, "error", report.errors, verdict.errors, out);
  PrintLines(file, "warning", report.warnings, verdict.warnings, out);
  out << file << ": " << (report.ok() ? "valid" : "not valid");
  if (!report.errors.empty()) out << ", " << Count(report.errors.size(), "error");
  if (!report.warnings.empty()) out << ", " << Count(report.warnings.size(), "warning");
  out << "\n";
}

int CheckFiles(const CheckOptions& options, std::istream& in, std::ostream& out,
               std::ostream& err) {
  int exit_code = kValid;
  for (const std::string& file : options.files) {
    const std::optional<std::string> text = ReadFile(file, in, err);
    if (!text.has_value()) {
      exit_code = kUnusable;
      continue;
    }
    const Verdict verdict = JudgeText(options.schema, *text);
    Print(file, verdict, options.format, out);
    if (!verdict.report.ok()) exit_code = std::max(exit_code, kInvalid);
  }
  return exit_code;
}

int CheckLines(const CheckOptions& options, std::istream& in, std::ostream& out) {
  int exit_code = kValid;
  while (const std::optional<std::string> line = ReadLine(in)) {
    const Report report = Judge(options.schema, definition::ParseDefinition(*line));
    out << base::DumpJson({{"valid", report.ok()},
                           {"errors", ToJson(report.errors)},
                           {"warnings", ToJson(report.warnings)}})
        << "\n";
    // A reader may wait for this verdict before it writes the next value.
    if (in.rdbuf()->in_avail() <= 0) out.flush();
    if (!report.ok()) exit_code = kInvalid;
  }
  return exit_code;
}

}  // namespace

int RunCheck(const CheckOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  if (options.jsonl && !options.files.empty()) {
    err << "atomemo-bridge check: --jsonl reads standard input; it takes no files\n";
    return kUnusable;
  }
  if (!options.jsonl && options.files.empty()) {
    err << "atomemo-bridge check: no files given (- is standard input)\n";
    return kUnusable;
  }
  const int exit_code =
      options.jsonl ? CheckLines(options, in, out) : CheckFiles(options, in, out, err);
  if (!out.flush()) {
    err << "atomemo-bridge check: cannot write the verdicts\n";
    return kUnusable;
  }
  return exit_code;
}

}  // namespace atomemo::cli
