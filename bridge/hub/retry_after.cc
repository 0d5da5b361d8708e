#include "bridge/hub/retry_after.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace atomemo::hub {
namespace {

constexpr absl::Duration kMost = absl::Minutes(5);

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

absl::Duration Bounded(absl::Duration wait) {
  return std::clamp(wait, absl::ZeroDuration(), kMost);
}

}  // namespace

std::optional<absl::Duration> ParseRetryAfter(absl::string_view value, absl::Time now) {
  value = absl::StripAsciiWhitespace(value);
  if (value.empty()) return std::nullopt;
  if (std::all_of(value.begin(), value.end(), IsDigit)) {
    double seconds = 0;  // of any length
    if (!absl::SimpleAtod(value, &seconds)) return std::nullopt;
    return Bounded(absl::Seconds(seconds));
  }
  absl::Time until;
  if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", value, &until, nullptr)) return std::nullopt;
  return Bounded(until - now);
}

}  // namespace atomemo::hub
