#include "bridge/definition/spelling.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace atomemo::definition {
namespace {

// Longer words are no slips of ours, and would make the comparison slow.
constexpr std::size_t kMaxLength = 64;
constexpr std::size_t kShortestBeginning = 3;
// Among more words than this nobody looks for a slip; keeps hostile input cheap.
constexpr std::size_t kMaxKnown = 300;

// What other languages and formats call our words.
constexpr std::pair<absl::string_view, absl::string_view> kSynonyms[] = {
    {"float", "number"},
    {"double", "number"},
    {"decimal", "number"},
    {"password", "encrypted_string"},
    {"secret", "encrypted_string"},
    {"list", "array"},
    {"map", "object"},
    {"dict", "object"},
    {"dropdown", "select"},
    {"toggle", "switch"},
    {"text", "input"},
    {"optional", "required"},
    {"const", "constant"},
    {"options", "enum"},
    {"min", "minimum"},
    {"max", "maximum"},
    {"title", "display_name"},
    {"label", "display_name"},
    {"help", "hint"},
    {"regexp", "regex"},
    {"params", "parameters"},
    {"one_of", "any_of"},
    {"large", "full"},
};

// Case and separators away: `displayName`, `display-name` and `display_name` are one.
std::string Skeleton(absl::string_view word) {
  std::string skeleton;
  for (const char c : word) {
    if (c != '_' && c != '-' && c != ' ') {
      skeleton.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
    }
  }
  return skeleton;
}

// How many letters must be added, dropped, changed or swapped with their neighbour.
std::size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<std::size_t> two_above, above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_above[j - 2] + 1);
      }
    }
    two_above = above;
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

absl::string_view ClosestWord(absl::string_view word, const std::vector<absl::string_view>& known) {
  if (word.empty() || word.size() > kMaxLength || known.size() > kMaxKnown) return {};
  const std::string wanted = Skeleton(word);
  for (const absl::string_view candidate : known) {
    if (Skeleton(candidate) == wanted) return candidate;
  }
  for (const auto& [synonym, candidate] : kSynonyms) {
    if (Skeleton(synonym) == wanted && absl::c_linear_search(known, candidate)) return candidate;
  }
  absl::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const absl::string_view candidate : known) {
    if (candidate.size() > kMaxLength) continue;
    const std::string skeleton = Skeleton(candidate);
    const std::size_t distance = Distance(wanted, skeleton);
    if (distance < best_distance && distance < skeleton.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  if (!best.empty() || wanted.size() < kShortestBeginning) return best;
  for (const absl::string_view candidate : known) {
    if (absl::StartsWith(Skeleton(candidate), wanted)) return candidate;
  }
  return {};
}

std::string DidYouMean(absl::string_view word, const std::vector<absl::string_view>& known) {
  const absl::string_view closest = ClosestWord(word, known);
  return closest.empty() ? "" : absl::StrCat("; did you mean \"", closest, "\"?");
}

}  // namespace atomemo::definition
