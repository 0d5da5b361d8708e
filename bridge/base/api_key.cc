#include "bridge/base/api_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace atomemo::base {
namespace {

constexpr char kKeyName[] = "HUB_DEBUG_API_KEY";
constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

// Closes a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

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

// NOT_FOUND if there is no such file.
absl::Status CannotRead(const std::string& path, int error) {
  const std::string message = absl::StrCat("cannot read ", path, ": ", std::strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
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

absl::StatusOr<std::string> FindInEnvText(absl::string_view text, absl::string_view name) {
  absl::ConsumePrefix(&text, kByteOrderMark);
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
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return CannotRead(path, errno);
  std::string text(kMaxFileBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = read(file.get(), &text[size], text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotRead(path, errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is larger than ", kMaxFileBytes, " bytes"));
  }
  text.resize(size);
  if (absl::StartsWith(text, "\xff\xfe") || absl::StartsWith(text, "\xfe\xff")) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is UTF-16 text: save it as UTF-8"));
  }
  if (absl::StartsWith(text, kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

}  // namespace atomemo::base
