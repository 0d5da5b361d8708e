#include "tests/integration/chaos/traffic.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "tests/integration/chaos/chaos_worker.h"

namespace atomemo::chaos {
namespace {

using base::Json;

constexpr int kQuickMs = 50;
constexpr int kLongMs = 1000;
constexpr int kLongestMs = 3000;
constexpr std::size_t kLargeBytes = 32 << 10;

}  // namespace

Traffic::Traffic(std::uint64_t seed, int calls_per_second, absl::Duration timeout)
    : random_(seed), calls_per_second_(calls_per_second), timeout_(timeout) {}

std::size_t Traffic::Due(absl::Time now) {
  const absl::Duration elapsed = std::max(now - last_, absl::ZeroDuration());
  last_ = now;
  owed_ += absl::ToDoubleSeconds(elapsed) * calls_per_second_;
  const auto due = static_cast<std::size_t>(owed_);
  owed_ -= static_cast<double>(due);
  return due;
}

CallPlan Traffic::Next() {
  constexpr int kPercent = 100;
  const int lot = static_cast<int>(random_() % kPercent);
  const int quick_ms = static_cast<int>(random_() % (kQuickMs + 1));
  if (lot < 84) return ToolCall(quick_ms, false, 0);
  if (lot < 86) {
    return ToolCall(kLongMs + static_cast<int>(random_() % (kLongestMs - kLongMs)), false, 0);
  }
  if (lot < 90) return ToolCall(quick_ms, true, 0);
  if (lot < 91) return ToolCall(quick_ms, false, kLargeBytes);
  if (lot < 92) {
    return {"invoke_tool",
            base::DumpJson({{"tool_name", kOverrunTool}, {"parameters", Json::object()}}), timeout_,
            true};
  }
  if (lot < 96) {
    return {"credential_auth_spec",
            base::DumpJson({{"credential_name", kCredential}, {"credential", {{"key", "secret"}}}}),
            timeout_};
  }
  return {"locator_list",
          base::DumpJson(
              {{"tool_name", kPickTool}, {"method", kPickMethod}, {"parameters", Json::object()}}),
          timeout_};
}

CallPlan Traffic::ToolCall(int ms, bool fail, std::size_t pad) {
  Json parameters = {{"ms", ms}, {"fail", fail}, {"pad", std::string(pad, 'x')}};
  return {"invoke_tool",
          base::DumpJson({{"tool_name", kWorkTool}, {"parameters", std::move(parameters)}}),
          timeout_};
}

}  // namespace atomemo::chaos
