#ifndef ATOMEMO_TESTS_FAKES_FAKE_SINKS_H_
#define ATOMEMO_TESTS_FAKES_FAKE_SINKS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bridge/router/ports.h"
#include "tests/fakes/calls.h"

namespace atomemo::fakes {

// Records what a session is told.
class FakeSessionSink : public router::SessionSink {
 public:
  void Send(router::pb::SessionEvent event) override { events.push_back(std::move(event)); }
  void Finish(absl::Status status) override { finished = std::move(status); }

  // Every request_id that the session was told to be delivered.
  std::vector<std::string> DeliveredIds() const {
    std::vector<std::string> ids;
    for (const auto& event : events) {
      ids.insert(ids.end(), event.delivered().request_ids().begin(),
                 event.delivered().request_ids().end());
    }
    return ids;
  }
  bool IsDraining() const {
    for (const auto& event : events) {
      if (event.has_draining()) return true;
    }
    return false;
  }

  std::vector<router::pb::SessionEvent> events;
  std::optional<absl::Status> finished;
};

// Records the calls of one stream.
class FakeCallSink : public router::CallSink {
 public:
  void Send(const router::CallForWorker& call) override {
    request_ids.push_back(call.request_id);
    calls.emplace_back(call);
  }
  void Cancel(absl::string_view request_id, absl::string_view) override {
    cancelled.emplace_back(request_id);
  }
  void Reject(absl::string_view request_id,
              const std::vector<router::pb::DefinitionViolation>& violations) override {
    rejected.emplace_back(std::string(request_id), violations);
  }
  void Drained() override { ++drained; }
  void Finish(absl::Status status) override { finished = std::move(status); }
  bool IsOpen() const override { return why_closed.empty(); }
  std::string WhyClosed() const override { return why_closed; }

  // Set: the stream has ended, which the router is not told yet.
  std::string why_closed;
  std::vector<SentCall> calls;
  std::vector<std::string> request_ids;  // of `calls`
  std::vector<std::string> cancelled;
  int drained = 0;
  std::vector<std::pair<std::string, std::vector<router::pb::DefinitionViolation>>> rejected;
  std::optional<absl::Status> finished;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_FAKE_SINKS_H_
