#include "tests/benchmark/load/driver.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

namespace atomemo::benchmark {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kFailureBytes = 300;

// Of sorted values; null if there are none.
Json Quantile(const std::vector<float>& sorted, double quantile) {
  if (sorted.empty()) return nullptr;
  const auto index = static_cast<std::size_t>(quantile * static_cast<double>(sorted.size()));
  return sorted[std::min(index, sorted.size() - 1)];
}

Json ToJson(const LoadFigures& load, double seconds) {
  return {{"answered", load.answered},
          {"failed", load.failed},
          {"first_failure", load.first_failure.substr(0, kFailureBytes)},
          {"per_second", seconds > 0 ? static_cast<double>(load.answered) / seconds : 0},
          {"p50_us", Quantile(load.microseconds, 0.5)},
          {"p99_us", Quantile(load.microseconds, 0.99)},
          {"p999_us", Quantile(load.microseconds, 0.999)},
          {"max_us", Quantile(load.microseconds, 1)}};
}

std::string ToText(const RunFigures& figures) {
  Json loads = Json::array();
  for (const LoadFigures& load : figures.loads) loads.push_back(ToJson(load, figures.seconds));
  return Json{{"loads", loads},
              {"seconds", figures.seconds},
              {"own_cpu_us", figures.own_cpu},
              {"watched_cpu_us", figures.watched_cpu},
              {"unanswered", figures.unanswered},
              {"unexpected", figures.unexpected}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void PrintLine(const std::string& json) {
  std::printf("%s\n", json.c_str());
  std::fflush(stdout);
}

Driver::Driver(Meter::SendCall send_call)
    : meter_(std::move(send_call), [](const RunFigures& figures) { PrintLine(ToText(figures)); }) {}

void Driver::OnCommand(const std::string& line) {
  const Json command = Json::parse(line);
  if (command.contains("wait")) {
    awaited_ = command["wait"].get<std::size_t>();
    waiting_since_ = Meter::Clock::now();
    return CheckWait();
  }
  const Json& wanted = command.at("run");
  Run run;
  run.warm_seconds = wanted.value("warm_seconds", 0.0);
  run.seconds = wanted.value("seconds", 0.0);
  run.calls = wanted.value("calls", std::uint64_t{0});
  run.watched = wanted.value("watched", std::vector<pid_t>());
  for (const Json& load : wanted.at("loads")) {
    Load& added = run.loads.emplace_back();
    for (const Json& name : load.at("topics")) added.topics.push_back(topics_.at(name));
    added.bytes = load.at("bytes");
    added.in_flight = load.value("in_flight", 0);
    added.per_second = load.value("per_second", 0.0);
  }
  meter_.Start(std::move(run));
}

std::size_t Driver::AddTopic(absl::string_view name) {
  const auto [known, added] = indices_.try_emplace(std::string(name), names_.size());
  if (added) names_.emplace_back(name);
  topics_[name] = known->second;
  const std::size_t index = known->second;
  CheckWait();
  return index;
}

void Driver::RemoveTopic(absl::string_view name) { topics_.erase(name); }

void Driver::CheckWait() {
  if (awaited_ == 0 || topics_.size() < awaited_) return;
  awaited_ = 0;
  const std::chrono::duration<double> waited = Meter::Clock::now() - waiting_since_;
  PrintLine(Json{{"seconds", waited.count()}}.dump());
}

}  // namespace atomemo::benchmark
