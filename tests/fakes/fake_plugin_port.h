#ifndef ATOMEMO_TESTS_FAKES_FAKE_PLUGIN_PORT_H_
#define ATOMEMO_TESTS_FAKES_FAKE_PLUGIN_PORT_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bridge/router/ports.h"

namespace atomemo::fakes {

// A router as plugin sessions see it: it records what it is told, answers as the test says, and
// lets the test's thread wait for what happens on the io thread.
class FakePluginPort : public router::PluginPort {
 public:
  struct PublishedSession {
    std::string session_id;
    router::Publication publication;
  };
  struct RefusedDefinition {
    std::string plugin;
    std::optional<std::int32_t> pid;
    absl::Status why;
  };
  struct RecordedReply {
    std::string session_id;
    router::PluginReply reply;
    // As the answer to the event that it says, or to the first of its kind, or to any.
    absl::StatusOr<router::CallOutcome> outcome;

    const std::string& request_id() const { return reply.request_id; }
    bool failed() const {
      return outcome.ok() && std::holds_alternative<router::pb::PluginError>(*outcome);
    }
    // Of one that failed.
    router::pb::PluginError error() const {
      return failed() ? std::get<router::pb::PluginError>(*outcome) : router::pb::PluginError();
    }
    std::string json() const { return outcome.ok() && !failed() ? std::get<0>(*outcome) : ""; }
  };
  struct RecordedHubCall {
    std::string session_id;
    std::string event;
    std::string data_json;
    std::optional<absl::Duration> timeout;
  };
  struct Stream {
    std::string session_id;
    std::int32_t max_in_flight;
    std::shared_ptr<router::CallSink> sink;
  };

  // Everything that happened so far.
  struct Record {
    std::vector<std::pair<router::SessionSpec, std::shared_ptr<router::SessionSink>>> opened;
    std::vector<PublishedSession> published;
    std::vector<RefusedDefinition> refused;
    std::vector<std::string> drained;
    std::map<router::CallKind, std::vector<Stream>> streams;
    std::vector<std::pair<std::string, router::CallKind>> unsubscribed;
    std::vector<RecordedReply> replies;
    // Every reply came when something had been published.
    bool published_before_replies = true;
    std::vector<std::string> closed;
    std::vector<RecordedHubCall> hub_calls;
  };

  // What the port answers; OK and plain values unless set. Set before the call comes.
  absl::Status open_status, unpublished_status, subscribe_status, drain_status;
  // Answers Publish; without it, Publish succeeds at once with the topic "debug_plugin:fake".
  std::function<void(std::function<void(absl::StatusOr<router::Published>)>)> on_publish;
  // Answers CallHub; without it, the answer is `{}`.
  std::function<absl::StatusOr<std::string>(absl::string_view event)> on_call_hub;
  // Is given CallHub's callback, to be called later on the io thread.
  std::function<void(std::function<void(absl::StatusOr<std::string>)>)> on_call_hub_later;
  // Called when a session is closed, on the io thread, with everything that happened so far.
  std::function<void(const Record&, const std::string& session_id)> on_close;
  // Called for each reply, on the io thread, instead of recording it.
  std::function<void(const router::PluginReply&)> on_reply;

  // Waits until `condition` holds, at most 20 seconds; whether it does.
  bool WaitUntil(const std::function<bool(const Record&)>& condition) {
    absl::MutexLock lock(&mutex_);
    const auto holds = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return condition(record_); };
    return mutex_.AwaitWithTimeout(absl::Condition(&holds), absl::Seconds(20));
  }

  // A copy of what happened so far.
  Record Snapshot() const {
    absl::MutexLock lock(&mutex_);
    return record_;
  }

  // The latest stream of a kind, once it is subscribed.
  std::shared_ptr<router::CallSink> WaitForStream(router::CallKind kind) {
    if (!WaitUntil([kind](const Record& record) { return record.streams.count(kind) > 0; })) {
      return nullptr;
    }
    return Snapshot().streams.at(kind).back().sink;
  }

  // The replies, once there are `count`.
  std::vector<RecordedReply> WaitForReplies(std::size_t count) {
    WaitUntil([count](const Record& record) { return record.replies.size() >= count; });
    return Snapshot().replies;
  }

  // ---- router::PluginPort

  absl::StatusOr<std::string> OpenSession(router::SessionSpec spec,
                                          std::shared_ptr<router::SessionSink> sink) override {
    absl::MutexLock lock(&mutex_);
    if (!open_status.ok()) return open_status;
    record_.opened.emplace_back(std::move(spec), std::move(sink));
    return absl::StrCat("session-", record_.opened.size());
  }

  absl::Status CheckUnpublished(absl::string_view) const override { return unpublished_status; }
  void DefinitionRefused(const std::string& plugin, std::optional<std::int32_t> pid,
                         const absl::Status& why) override {
    absl::MutexLock lock(&mutex_);
    record_.refused.push_back({plugin, pid, why});
  }

  void Publish(absl::string_view session_id, router::Publication publication,
               std::function<void(absl::StatusOr<router::Published>)> done) override {
    {
      absl::MutexLock lock(&mutex_);
      record_.published.push_back({std::string(session_id), std::move(publication)});
    }
    if (on_publish != nullptr) return on_publish(std::move(done));
    done(router::Published{"debug_plugin:fake", {}});
  }

  absl::Status DrainSession(absl::string_view session_id) override {
    absl::MutexLock lock(&mutex_);
    record_.drained.emplace_back(session_id);
    return drain_status;
  }

  absl::Status Subscribe(absl::string_view session_id, router::CallKind kind,
                         std::int32_t max_in_flight,
                         std::shared_ptr<router::CallSink> sink) override {
    absl::MutexLock lock(&mutex_);
    if (!subscribe_status.ok()) return subscribe_status;
    record_.streams[kind].push_back({std::string(session_id), max_in_flight, std::move(sink)});
    return absl::OkStatus();
  }

  void Unsubscribe(absl::string_view session_id, router::CallKind kind) override {
    absl::MutexLock lock(&mutex_);
    record_.unsubscribed.emplace_back(session_id, kind);
  }

  void Reply(absl::string_view session_id, router::PluginReply reply) override {
    if (on_reply != nullptr) return on_reply(reply);
    const router::HubEvent* event = router::FindHubEvent(reply.event);
    if (event == nullptr) event = &router::EventOf(reply.kind.value_or(router::CallKind::kInvoke));
    absl::StatusOr<router::CallOutcome> outcome = reply.outcome(*event);
    absl::MutexLock lock(&mutex_);
    record_.published_before_replies &= !record_.published.empty();
    record_.replies.push_back({std::string(session_id), std::move(reply), std::move(outcome)});
  }

  // Recorded as a reply.
  void Fail(absl::string_view session_id, router::CallKind kind, absl::string_view request_id,
            router::pb::PluginError error) override {
    router::PluginReply reply = router::FailedReply(std::string(request_id), std::move(error));
    reply.kind = kind;
    Reply(session_id, std::move(reply));
  }

  void CloseSession(absl::string_view session_id, absl::string_view /*reason*/) override {
    absl::MutexLock lock(&mutex_);
    record_.closed.emplace_back(session_id);
    if (on_close != nullptr) on_close(record_, std::string(session_id));
  }

  void CallHub(absl::string_view session_id, absl::string_view event, std::string data_json,
               std::optional<absl::Duration> timeout,
               std::function<void(absl::StatusOr<std::string>)> done) override {
    {
      absl::MutexLock lock(&mutex_);
      record_.hub_calls.push_back(
          {std::string(session_id), std::string(event), std::move(data_json), timeout});
    }
    if (on_call_hub_later != nullptr) return on_call_hub_later(std::move(done));
    done(on_call_hub != nullptr ? on_call_hub(event) : absl::StatusOr<std::string>("{}"));
  }

 private:
  mutable absl::Mutex mutex_;
  Record record_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_FAKE_PLUGIN_PORT_H_
