#include "bridge/base/redact.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace atomemo::base {
namespace {

// Where the URL that contains the "://" at `mark` begins in `text`.
std::size_t SchemeStart(absl::string_view text, std::size_t mark) {
  std::size_t start = mark;
  while (start > 0 && (absl::ascii_isalnum(static_cast<unsigned char>(text[start - 1])) ||
                       text[start - 1] == '+')) {
    --start;
  }
  return start;
}

}  // namespace

std::string RedactUrl(absl::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t mark = url.find("://");
  if (mark == absl::string_view::npos) return std::string(url);
  const absl::string_view scheme = url.substr(0, mark + 3);
  absl::string_view rest = url.substr(mark + 3);
  const absl::string_view authority = rest.substr(0, rest.find('/'));
  const std::size_t at = authority.rfind('@');
  if (at != absl::string_view::npos) rest.remove_prefix(at + 1);
  return absl::StrCat(scheme, rest);
}

std::string RedactText(absl::string_view text) {
  std::string out;
  while (true) {
    const std::size_t mark = text.find("://");
    if (mark == absl::string_view::npos) break;
    const std::size_t start = SchemeStart(text, mark);
    std::size_t end = text.find_first_of(" \t\r\n\"'<>`", mark);
    if (end == absl::string_view::npos) end = text.size();
    absl::StrAppend(&out, text.substr(0, start), RedactUrl(text.substr(start, end - start)));
    text.remove_prefix(end);
  }
  absl::StrAppend(&out, text);
  return out;
}

}  // namespace atomemo::base
