#include "bridge/definition/violations.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/definition/messages.h"

namespace atomemo::definition {
namespace {

// Longer names are cut in paths: one may lead to a thousand violations.
constexpr std::size_t kMaxSegment = 200;

bool IsIdentifier(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '$') return false;
  }
  return true;
}

}  // namespace

std::string FormatPath(const Path& path) {
  std::string text;
  for (const PathSegment& segment : path) {
    if (const auto* index = std::get_if<std::size_t>(&segment)) {
      absl::StrAppend(&text, "[", *index, "]");
      continue;
    }
    const std::string& name = std::get<std::string>(segment);
    if (!IsIdentifier(name)) {
      absl::StrAppend(&text, "[", base::QuoteJson(name), "]");
    } else {
      absl::StrAppend(&text, text.empty() ? "" : ".", name);
    }
  }
  return text;
}

void ViolationSink::Add(std::vector<Violation>& list, std::string message) {
  if (list.size() > kMaxViolations) return;
  if (list.size() == kMaxViolations) {
    list.push_back({{}, absl::StrCat("there are more than these ", kMaxViolations)});
    return;
  }
  list.push_back({path(), std::move(message)});
}

Path ViolationSink::path() const {
  Path path;
  path.reserve(at_.size());
  for (const auto& segment : at_) {
    if (const auto* name = std::get_if<absl::string_view>(&segment)) {
      path.emplace_back(std::string(CutText(*name, kMaxSegment)));
    } else {
      path.emplace_back(std::get<std::size_t>(segment));
    }
  }
  return path;
}

}  // namespace atomemo::definition
