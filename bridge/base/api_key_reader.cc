#include "bridge/base/api_key_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace atomemo::base {

ApiKeyReader::ApiKeyReader(Scheduler& scheduler, const ApiKeySource::Options& options,
                           absl::Duration timeout)
    : scheduler_(scheduler),
      source_(options),
      has_file_(!options.key_file.empty() || !options.env_file.empty()),
      timeout_(timeout),
      calls_([&scheduler](BlockingCalls::Task task) { scheduler.Post(std::move(task)); }) {}

ApiKeyReader::~ApiKeyReader() {
  for (const auto& [id, waiter] : waiters_) scheduler_.Cancel(waiter.timer);
}

void ApiKeyReader::Read(Done done) {
  if (!has_file_) return done(source_.Read());
  const std::uint64_t id = ++last_id_;
  const auto timer = scheduler_.After(timeout_, [this, id] { OnTimeout(id); });
  waiters_.emplace(id, Waiter{std::move(done), timer});
  if (!std::exchange(reading_, true)) Start();
}

void ApiKeyReader::Start() {
  const absl::Status started =
      calls_.Run([this, source = source_] { return [this, key = source.Read()] { OnRead(key); }; });
  if (!started.ok()) OnRead(started);
}

void ApiKeyReader::OnRead(const absl::StatusOr<std::string>& key) {
  reading_ = false;
  for (const auto& [id, waiter] : std::exchange(waiters_, {})) {
    scheduler_.Cancel(waiter.timer);
    waiter.done(key);
  }
}

void ApiKeyReader::OnTimeout(std::uint64_t id) {
  const Done done = std::move(waiters_.extract(id).mapped().done);
  done(absl::DeadlineExceededError(
      absl::StrCat("the file with the debug API key cannot be read: nothing came within ",
                   absl::FormatDuration(timeout_))));
}

}  // namespace atomemo::base
