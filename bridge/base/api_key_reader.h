#ifndef ATOMEMO_BRIDGE_BASE_API_KEY_READER_H_
#define ATOMEMO_BRIDGE_BASE_API_KEY_READER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bridge/base/api_key.h"
#include "bridge/base/blocking_calls.h"
#include "bridge/base/scheduler.h"

namespace atomemo::base {

// Reads the debug API key off the io thread: its file may be on a share that hangs. However many
// ask, it is read once at a time.
//
// Lives on the io thread.
class ApiKeyReader {
 public:
  using Done = std::function<void(absl::StatusOr<std::string>)>;

  ApiKeyReader(Scheduler& scheduler, const ApiKeySource::Options& options,
               absl::Duration timeout = absl::Seconds(10));
  ~ApiKeyReader();
  ApiKeyReader(const ApiKeyReader&) = delete;
  ApiKeyReader& operator=(const ApiKeyReader&) = delete;

  // `done` is called once, unless this object is destroyed first; inside this call where no file is
  // involved. With what ApiKeySource::Read says, or DEADLINE_EXCEEDED.
  void Read(Done done);

 private:
  struct Waiter {
    Done done;
    Scheduler::TimerId timer;
  };

  void Start();
  void OnRead(const absl::StatusOr<std::string>& key);
  void OnTimeout(std::uint64_t id);

  Scheduler& scheduler_;
  const ApiKeySource source_;
  const bool has_file_;
  const absl::Duration timeout_;
  bool reading_ = false;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Waiter> waiters_;
  BlockingCalls calls_;
};

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_API_KEY_READER_H_
