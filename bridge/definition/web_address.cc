#include "bridge/definition/web_address.h"

#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "bridge/definition/host_name.h"

namespace atomemo::definition {
namespace {

constexpr std::size_t kLongestLabel = 63;
constexpr int kHighestPort = 65535;

// JavaScript's white space and line ends.
constexpr absl::string_view kWhitespace[] = {
    " ",      "\t",     "\n",     "\r",     "\v",     "\f",     "\u00a0", "\ufeff", "\u1680",
    "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
    "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

// Browsers drop tabs and line ends everywhere, controls and spaces at both ends.
std::string DropIgnored(absl::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  for (const char c : text) {
    if (c != '\t' && c != '\n' && c != '\r') kept.push_back(c);
  }
  const auto is_ignored = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  std::size_t begin = 0, end = kept.size();
  while (begin < end && is_ignored(kept[begin])) ++begin;
  while (end > begin && is_ignored(kept[end - 1])) --end;
  return kept.substr(begin, end - begin);
}

bool ConsumeScheme(absl::string_view& text) {
  for (const absl::string_view scheme : {"https:", "http:"}) {
    if (absl::StartsWithIgnoreCase(text, scheme)) {
      text.remove_prefix(scheme.size());
      return true;
    }
  }
  return false;
}

bool IsPort(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  int port = 0;
  return text.empty() || (absl::SimpleAtoi(text, &port) && port <= kHighestPort);
}

bool IsLabel(absl::string_view label) {
  if (label.empty() || label.size() > kLongestLabel) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  for (const char c : label) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-') return false;
  }
  return true;
}

bool IsTopLevelDomain(absl::string_view label) {
  if (label.size() < 2) return false;
  for (const char c : label) {
    if (!absl::ascii_isalpha(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

bool IsPublicDomainName(absl::string_view host) {
  const std::vector<absl::string_view> labels = absl::StrSplit(host, '.');
  if (labels.size() < 2 || !IsTopLevelDomain(labels.back())) return false;
  for (std::size_t i = 0; i + 1 < labels.size(); ++i) {
    if (!IsLabel(labels[i])) return false;
  }
  return true;
}

}  // namespace

absl::string_view TrimWhitespace(absl::string_view text) {
  bool trimmed = true;
  while (trimmed) {
    trimmed = false;
    for (const absl::string_view space : kWhitespace) {
      trimmed |= absl::ConsumePrefix(&text, space) || absl::ConsumeSuffix(&text, space);
    }
  }
  return text;
}

std::optional<std::string> CheckWebAddress(absl::string_view text) {
  const std::string address = DropIgnored(text);
  absl::string_view rest = address;
  if (!ConsumeScheme(rest)) return "it must start with https:// or http://";
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of("/\\")));
  absl::string_view authority = rest.substr(0, rest.find_first_of("/\\?#"));
  const std::size_t user_end = authority.rfind('@');
  if (user_end != absl::string_view::npos) authority.remove_prefix(user_end + 1);
  const std::size_t colon = authority.find(':');
  if (colon != absl::string_view::npos && !IsPort(authority.substr(colon + 1))) {
    return "its port is not a number up to 65535";
  }
  const std::optional<std::string> host = ToAsciiHostName(authority.substr(0, colon));
  if (!host.has_value() || !IsPublicDomainName(*host)) {
    return "its host must be a public domain name such as example.com (localhost, IP addresses and "
           "names without a dot are not accepted)";
  }
  return std::nullopt;
}

}  // namespace atomemo::definition
