#ifndef ATOMEMO_TESTS_BRIDGE_ROUTER_ROUTER_FIXTURE_H_
#define ATOMEMO_TESTS_BRIDGE_ROUTER_ROUTER_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/definition/assemble.h"
#include "bridge/router/router.h"
#include "tests/fakes/calls.h"
#include "tests/fakes/fake_hub_port.h"
#include "tests/fakes/fake_sinks.h"
#include "tests/fakes/manual_scheduler.h"

namespace atomemo::router {

using definition::PartKind;

inline constexpr char kTexts[] =
    R"({"name":"weather","version":"1.0.0","display_name":{"en_US":"Weather"},
    "description":{"en_US":"d"},"icon":"i","lang":"typescript","locales":[]})";
inline constexpr char kTool[] =
    R"({"name":"forecast","display_name":{"en_US":"F"},"description":{"en_US":"d"},"icon":"i",
    "parameters":[{"name":"city","type":"resource_locator","modes":[{"type":"list","search_list_method":"list_cities"}]},
                  {"name":"fields","type":"resource_mapper","mapping_method":"map_fields"}]})";
inline constexpr char kCredential[] =
    R"({"name":"api-key","display_name":{"en_US":"K"},"description":{"en_US":"d"},"icon":"i",
    "parameters":[{"name":"key","type":"encrypted_string"}]})";
inline constexpr char kTopic[] = "debug_plugin:weather";

// A router between a fake hub and fake plugin workers, with a clock that the test turns.
class RouterTest : public ::testing::Test {
 protected:
  // One plugin process as the router sees it.
  struct Worker {
    std::string session_id;
    std::shared_ptr<definition::Draft> draft;
    absl::flat_hash_map<std::string, pb::ToolPolicy> policies;
    std::shared_ptr<fakes::FakeSessionSink> events = std::make_shared<fakes::FakeSessionSink>();
    std::shared_ptr<fakes::FakeCallSink> calls = std::make_shared<fakes::FakeCallSink>();
    std::optional<absl::StatusOr<Published>> published;
  };

  explicit RouterTest(RouterOptions options = {}, CallJournal* journal = nullptr)
      : router_(hub_, scheduler_, std::move(options), journal) {}

  SessionSpec Spec() {
    SessionSpec spec;
    spec.name = "weather";
    spec.version = "1.0.0";
    spec.peer_uid = 1000;
    spec.peer_pid = 42;
    return spec;
  }

  std::unique_ptr<Worker> Open(SessionSpec spec) {
    auto worker = std::make_unique<Worker>();
    const std::string name = spec.name;
    absl::StatusOr<std::string> id = router_.OpenSession(std::move(spec), worker->events);
    EXPECT_TRUE(id.ok()) << id.status();
    if (id.ok()) worker->session_id = *id;
    base::Json plugin = base::ParseJson(kTexts).value();
    plugin["name"] = name;
    definition::Report texts = definition::JudgePlugin(std::move(plugin));
    EXPECT_TRUE(texts.ok());
    worker->draft = std::make_shared<definition::Draft>(std::move(texts.value));
    return worker;
  }

  // A session with the tool and the credential, subscribed to Invoke, and published.
  std::unique_ptr<Worker> StartWorker(int max_in_flight = 16, pb::ToolPolicy policy = {},
                                      const char* tool = kTool) {
    auto worker = Open(Spec());
    Register(*worker, PartKind::kTool, tool);
    Register(*worker, PartKind::kCredential, kCredential);
    worker->policies["forecast"] = std::move(policy);
    EXPECT_TRUE(
        router_.Subscribe(worker->session_id, CallKind::kInvoke, max_in_flight, worker->calls)
            .ok());
    Publish(*worker);
    return worker;
  }

  // Declares a part, which must be valid.
  void Register(Worker& worker, PartKind kind, const char* json) {
    EXPECT_TRUE(worker.draft->Add(definition::MakePart(kind, base::ParseJson(json).value())).ok());
  }

  void Publish(Worker& worker) {
    Publication publication{worker.draft->Assemble(), worker.policies};
    router_.Publish(
        worker.session_id, std::move(publication),
        [&worker](absl::StatusOr<Published> result) { worker.published = std::move(result); });
  }

  void SetTopic(pb::HubState::State state, const std::string& topic = kTopic,
                const std::string& reason = "") {
    if (state == pb::HubState::STATE_REGISTERED) {
      hub_.joined.insert(topic);
    } else {
      hub_.joined.erase(topic);
    }
    pb::HubState message;
    message.set_state(state);
    message.set_reason(reason);
    router_.OnTopicState(topic, message);
  }
  void HubUp() { SetTopic(pb::HubState::STATE_REGISTERED); }
  void HubDown() { SetTopic(pb::HubState::STATE_DISCONNECTED); }

  // The hub has handled every leave so far; or has not, and never will.
  void HubHandlesLeaves(bool handled = true) {
    for (const std::string& topic : std::exchange(hub_.left, {})) {
      hub_.joined.erase(topic);
      router_.OnTopicLeft(topic, handled);
    }
    scheduler_.Advance(absl::Milliseconds(1));
  }

  void HubInvokes(const std::string& request_id, const std::string& tool = "forecast") {
    pb::Invocation invocation;
    invocation.mutable_info()->set_request_id(request_id);
    invocation.set_tool_name(tool);
    invocation.mutable_parameters()->set_json("{}");
    router_.OnHubCall(kTopic, fakes::CallOf("invoke_tool", std::move(invocation)));
  }

  void HubAuthenticates(const std::string& request_id) {
    pb::Authentication call;
    call.mutable_info()->set_request_id(request_id);
    call.set_credential_name("api-key");
    router_.OnHubCall(kTopic, fakes::CallOf("credential_auth_spec", std::move(call)));
  }

  void Replies(Worker& worker, const std::string& request_id, const std::string& json = "1") {
    pb::InvokeResult result;
    result.set_request_id(request_id);
    result.mutable_data()->set_json(json);
    router_.Reply(worker.session_id, fakes::ReplyOf(result));
  }

  // The one answer that the hub got to a call; an empty one with code "none" or "many" otherwise.
  HubAnswer AnswerTo(const std::string& request_id) {
    const auto answers = hub_.AnswersTo(request_id);
    if (answers.size() == 1) return answers[0];
    HubAnswer bad;
    pb::PluginError error;
    error.set_code(answers.empty() ? "none" : "many");
    bad.outcome = error;
    return bad;
  }
  std::string ResultOf(const std::string& request_id) {
    const HubAnswer answer = AnswerTo(request_id);
    return answer.ok() ? std::get<std::string>(answer.outcome) : ErrorOf(request_id).code();
  }
  pb::PluginError ErrorOf(const std::string& request_id) {
    const HubAnswer answer = AnswerTo(request_id);
    return answer.ok() ? pb::PluginError() : std::get<pb::PluginError>(answer.outcome);
  }

  fakes::ManualScheduler scheduler_;
  fakes::FakeHubPort hub_;
  Router router_;
};

}  // namespace atomemo::router

#endif  // ATOMEMO_TESTS_BRIDGE_ROUTER_ROUTER_FIXTURE_H_
