#include "tests/benchmark/load/payload.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace atomemo::benchmark {
namespace {

// Looks like the UUIDs that the hub makes; the last group counts.
constexpr absl::string_view kIdPrefix = "0f8fad5b-d9cb-469f-a165-";
constexpr std::size_t kIdDigits = 12;
constexpr std::size_t kSearchedBytes = 600;

constexpr absl::string_view kBegin = R"({"text":")";
constexpr absl::string_view kEnd = R"("})";
constexpr absl::string_view kRowsBegin = R"({"rows":[)";
constexpr absl::string_view kRowsEnd = R"(],"text":")";
constexpr absl::string_view kRow =
    R"({"id":1815,"name":"Ada Lovelace","email":"ada@example.com","active":true,)"
    R"("score":0.75,"tags":["first","second"],"manager":null})";

std::string MakeText(absl::string_view begin, std::size_t bytes) {
  const std::size_t envelope = begin.size() + kEnd.size();
  return absl::StrCat(begin, std::string(bytes > envelope ? bytes - envelope : 0, 'a'), kEnd);
}

std::string MakeRecords(std::size_t bytes) {
  std::string text(kRowsBegin);
  while (text.size() + 1 + kRow.size() + kRowsEnd.size() + kEnd.size() <= bytes) {
    absl::StrAppend(&text, text.size() > kRowsBegin.size() ? "," : "", kRow);
  }
  text.append(kRowsEnd.data(), kRowsEnd.size());
  return MakeText(text, bytes);
}

std::optional<std::uint64_t> FindIn(absl::string_view text) {
  const std::size_t at = text.find(kIdPrefix);
  std::uint64_t id = 0;
  if (at == absl::string_view::npos) return std::nullopt;
  if (!absl::SimpleAtoi(text.substr(at + kIdPrefix.size(), kIdDigits), &id)) return std::nullopt;
  return id;
}

}  // namespace

std::optional<Content> ParseContent(absl::string_view name) {
  if (name == "text") return Content::kText;
  if (name == "records") return Content::kRecords;
  return std::nullopt;
}

const std::string& Payloads::OfSize(std::size_t bytes) {
  const auto [entry, added] = made_.try_emplace(bytes);
  if (added) {
    entry->second = content_ == Content::kText ? MakeText(kBegin, bytes) : MakeRecords(bytes);
  }
  return entry->second;
}

std::string RequestId(std::uint64_t id) { return absl::StrFormat("%s%012d", kIdPrefix, id); }

std::optional<std::uint64_t> FindRequestId(absl::string_view text) {
  const std::optional<std::uint64_t> found = FindIn(text.substr(0, kSearchedBytes));
  if (found || text.size() <= kSearchedBytes) return found;
  return FindIn(text.substr(text.size() - kSearchedBytes));
}

}  // namespace atomemo::benchmark
