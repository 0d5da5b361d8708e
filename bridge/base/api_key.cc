#include "bridge/base/api_key.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bridge/base/small_file.h"

namespace atomemo::base {
namespace {

constexpr char kKeyName[] = "HUB_DEBUG_API_KEY";

bool IsQuote(char c) { return c == '"' || c == '\''; }

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isascii(static_cast<unsigned char>(c)); });
}

// "OTHER_KEY=value". A key may contain '=', but hardly behind a name in capital letters; in Base64
// it has '=' at its end only.
bool IsOtherAssignment(absl::string_view text) {
  absl::ConsumePrefix(&text, "export ");
  const std::size_t mark = text.find('=');
  if (mark == absl::string_view::npos) return false;
  const absl::string_view name = text.substr(0, mark);
  const bool has_value = text.find_first_not_of('=', mark) != absl::string_view::npos;
  return has_value && absl::StrContains(name, '_') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return c == '_' || absl::ascii_isupper(byte) || absl::ascii_isdigit(byte);
         });
}

// Why `key` cannot be one; empty if it can.
absl::string_view WhyNoKey(absl::string_view key) {
  if (key.find_first_of("\r\n") != absl::string_view::npos) {
    return "has several lines: leave nothing but the key";
  }
  if (IsOtherAssignment(key)) {
    return "is a NAME=value line with another name: leave nothing but the key";
  }
  if (key.find_first_of("\"'`") != absl::string_view::npos) return "contains a quote";
  if (key.find_first_of(" \t") != absl::string_view::npos) return "contains a space";
  if (!IsAscii(key)) return "contains a character that is not ASCII";
  if (!std::all_of(key.begin(), key.end(),
                   [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); })) {
    return "contains a control character";
  }
  return "";
}

// The key that a person meant to give by `text`, which is from `place`. NOT_FOUND if it is empty.
absl::StatusOr<std::string> KeyIn(absl::string_view text, absl::string_view place) {
  absl::ConsumePrefix(&text, kByteOrderMark);
  const absl::StatusOr<std::string> assigned = FindInEnvText(text, kKeyName);
  absl::string_view key = assigned.ok() ? absl::string_view(*assigned) : text;
  key = absl::StripAsciiWhitespace(key);
  if (key.size() > 1 && IsQuote(key.front()) && key.back() == key.front()) {
    key = absl::StripAsciiWhitespace(key.substr(1, key.size() - 2));
  }
  if (key.empty()) return absl::NotFoundError(absl::StrCat(place, " is empty"));
  if (const absl::string_view why = WhyNoKey(key); !why.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(place, " ", why));
  }
  return std::string(key);
}

}  // namespace

ApiKeySource::ApiKeySource(Options options) : options_(std::move(options)) {}

absl::StatusOr<std::string> ApiKeySource::Read() const {
  if (!options_.key_file.empty()) return ReadKeyFile();
  absl::string_view env_file_error;
  absl::StatusOr<std::string> env_text = absl::NotFoundError("");
  if (!options_.env_file.empty()) env_text = ReadSmallFile(options_.env_file);
  if (env_text.ok()) {
    const absl::StatusOr<std::string> found = FindInEnvText(*env_text, kKeyName);
    if (found.ok()) {
      absl::StatusOr<std::string> key =
          KeyIn(*found, absl::StrCat(kKeyName, " in ", options_.env_file));
      if (!absl::IsNotFound(key.status())) return key;
    }
  } else if (!absl::IsNotFound(env_text.status())) {
    env_file_error = env_text.status().message();
  }
  absl::StatusOr<std::string> key =
      KeyIn(options_.key, absl::StrCat("the key in --debug-api-key or ", kKeyName));
  if (!absl::IsNotFound(key.status())) return key;
  return absl::NotFoundError(absl::StrCat(
      "no debug API key: set ", kKeyName,
      ", or name a file with --debug-api-key-file (`atomemo plugin refresh-key` writes a new key "
      "to .env)",
      env_file_error.empty() ? "" : "; ", env_file_error));
}

absl::StatusOr<std::string> ApiKeySource::ReadKeyFile() const {
  const std::string& path = options_.key_file;
  // A pipe would give the key once, and then block or be empty.
  struct stat about = {};
  if (stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the key file ", path,
                     S_ISDIR(about.st_mode) ? " is a directory" : " is not a regular file",
                     ": it must be one, since it is read again whenever the bridge connects"));
  }
  const absl::StatusOr<std::string> text = ReadSmallFile(path);
  if (!text.ok()) return text.status();
  return KeyIn(*text, absl::StrCat("the key file ", path));
}

}  // namespace atomemo::base
