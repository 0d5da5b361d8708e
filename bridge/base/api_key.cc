#include "bridge/base/api_key.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace atomemo::base {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;

}  // namespace

ApiKeySource::ApiKeySource(Options options) : options_(std::move(options)) {}

absl::StatusOr<std::string> ApiKeySource::Read() const {
  if (!options_.key_file.empty()) {
    absl::StatusOr<std::string> text = ReadSmallFile(options_.key_file);
    if (!text.ok()) return text.status();
    std::string key(absl::StripAsciiWhitespace(*text));
    if (key.empty()) {
      return absl::NotFoundError(absl::StrCat("the key file ", options_.key_file, " is empty"));
    }
    return key;
  }
  if (!options_.env_file.empty()) {
    const absl::StatusOr<std::string> text = ReadSmallFile(options_.env_file);
    if (text.ok()) {
      absl::StatusOr<std::string> key = FindInEnvText(*text, "HUB_DEBUG_API_KEY");
      if (key.ok() && !key->empty()) return key;
    }
  }
  if (!options_.key.empty()) return options_.key;
  return absl::NotFoundError(
      "no debug API key: set HUB_DEBUG_API_KEY, or name a file with --debug-api-key-file (`atomemo "
      "plugin "
      "refresh-key` writes a new key to .env)");
}

absl::StatusOr<std::string> FindInEnvText(absl::string_view text, absl::string_view name) {
  absl::StatusOr<std::string> found =
      absl::NotFoundError(absl::StrCat("no ", name, " in the environment file"));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "export ")) line = absl::StripLeadingAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, name)) continue;
    line = absl::StripLeadingAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, "=")) continue;
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty() && (line[0] == '"' || line[0] == '\'')) {
      const std::size_t end = line.find(line[0], 1);
      if (end != absl::string_view::npos) line = line.substr(1, end - 1);
    } else {
      line = absl::StripTrailingAsciiWhitespace(line.substr(0, line.find(" #")));
    }
    found = std::string(line);  // the last one wins, as in a shell
  }
  return found;
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return absl::NotFoundError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return absl::DataLossError(absl::StrCat("cannot read ", path));
  if (text.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is larger than ", kMaxFileBytes, " bytes"));
  }
  return text;
}

}  // namespace atomemo::base
