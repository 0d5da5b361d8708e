#ifndef ATOMEMO_TESTS_BENCHMARK_LOAD_PAYLOAD_H_
#define ATOMEMO_TESTS_BENCHMARK_LOAD_PAYLOAD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace atomemo::benchmark {

// What the JSON of a call's parameters is made of: one long text, or many small values.
enum class Content { kText, kRecords };

std::optional<Content> ParseContent(absl::string_view name);

// JSON objects of a wanted size, made once each.
class Payloads {
 public:
  explicit Payloads(Content content) : content_(content) {}
  // Of at least so many bytes: exactly, unless it is less than the smallest.
  const std::string& OfSize(std::size_t bytes);

 private:
  const Content content_;
  absl::flat_hash_map<std::size_t, std::string> made_;
};

// The request_id of a call, and back.
std::string RequestId(std::uint64_t id);
// Looks for the request_id near the begin and the end of a message.
std::optional<std::uint64_t> FindRequestId(absl::string_view text);

}  // namespace atomemo::benchmark

#endif  // ATOMEMO_TESTS_BENCHMARK_LOAD_PAYLOAD_H_
