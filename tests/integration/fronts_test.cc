// The same plugin on typed streams and on Serve: for the hub there is no difference.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/hub/hub_url.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/raw_plugin.h"
#include "tests/integration/scripted_hub.h"

namespace atomemo::integration {
namespace {

namespace pb = ::atomemo::plugin::v1;
using ::testing::Contains;
using ::testing::HasSubstr;

using Answer = std::function<void(pb::PluginMessage& message)>;

// One call of the hub, and what the plugin says.
struct Exchange {
  std::string id;
  std::string event;
  // Behind the request_id.
  std::string members;
  Answer answer;
  // The bridge turns the answer into an error, and tells the plugin.
  bool is_rejected = false;
};

constexpr char kOnAccount[] = R"("credential_name":"account","credential":{"client_id":"c"})";
constexpr char kOnPick[] = R"("tool_name":"pick-tool","parameters":{"n":12345678901234567890})";

Answer Invoked(const std::string& json) {
  return [json](pb::PluginMessage& message) {
    message.mutable_invoked()->mutable_data()->set_json(json);
  };
}

Answer Failed(const std::string& event) {
  return [event](pb::PluginMessage& message) {
    pb::CallFailure& failure = *message.mutable_failure();
    failure.set_event(event);
    failure.mutable_error()->set_name("TypeError");
    failure.mutable_error()->set_code("app:failed");
    failure.mutable_error()->set_message("it \"failed\" at ü");
    failure.mutable_error()->mutable_details()->set_json(R"({"n":1e400})");
    failure.mutable_error()->set_stack("at f");
    failure.mutable_error()->mutable_cause()->set_message("why");
  };
}

std::vector<Exchange> Authentications() {
  const std::string event = "credential_auth_spec";
  const std::string members = R"("credential_name":"account-key","credential":{"key":"k"},"x":[1])";
  return {{"a1", event, members,
           [](auto& message) { message.mutable_authenticated()->mutable_data()->set_json("{ }"); }},
          {"a2", event, members,
           [](auto& message) {
             pb::LlmAdapter& adapter = *message.mutable_authenticated()->mutable_adapter();
             adapter.set_adapter(pb::LlmAdapter::KIND_OPENAI);
             adapter.set_api_key("k");
             (*adapter.mutable_headers())["h"] = "1";
           }},
          {"a3", event, members, Failed(event)},
          // No adapter at all.
          {"a4", event, members,
           [](auto& message) { message.mutable_authenticated()->mutable_adapter(); }, true}};
}

std::vector<Exchange> Authorizations() {
  const std::string back = absl::StrCat(kOnAccount, R"(,"redirect_uri":"https://b")");
  const std::string build = "oauth2_build_authorize_url";
  const auto tokens = [](pb::PluginMessage& message) {
    pb::OAuth2Tokens& patch = *message.mutable_authorized()->mutable_tokens();
    patch.set_access_token("t");
    patch.set_expires_at(1'900'000'000);
  };
  return {{"o1", build, absl::StrCat(back, R"(,"state":"s")"),
           [](auto& message) { message.mutable_authorized()->set_url("https://a?s"); }},
          {"o2", "oauth2_get_token", absl::StrCat(back, R"(,"code":"c")"), tokens},
          {"o3", "oauth2_refresh_token", kOnAccount, tokens},
          {"o4", "oauth2_refresh_token", kOnAccount, Failed("oauth2_refresh_token")},
          {"o5", build, absl::StrCat(back, R"(,"state":"s")"), tokens, true}};
}

std::vector<Exchange> Invocations() {
  const std::string event = "invoke_tool";
  const std::string members =
      R"("tool_name":"echo-tool","parameters":{"n":1e400,"e":"\u00e9"},"context":{"organization_id":"o"})";
  return {
      {"i1", event, members, Invoked(R"({"n": 12345678901234567890, "z":-0, "é":"\ud83d\ude00"})")},
      {"i2", event, members, [](auto& message) { message.mutable_invoked(); }},
      {"i3", event, members,
       [](auto& message) {
         message.mutable_invoked()->mutable_data()->mutable_value()->set_number_value(0.1);
       }},
      {"i4", event, members, Failed(event)},
      {"i5", event, members, Invoked("[1,]"), true},
      {"i6", event, members, Invoked("{\"n\":NaN}"), true},
      {"i7", event, members, Invoked(absl::StrCat("\"", std::string(300'000, 'x'), "\""))},
      {"i8", event, members, Invoked(absl::StrCat("\"", std::string(2'000'000, 'x'), "\"")), true},
      // For nobody.
      {"i9", event, R"("tool_name":"no-tool","parameters":{})", nullptr},
      {"i10", "water_the_plants", R"("n":1)", nullptr}};
}

std::vector<Exchange> Queries() {
  const std::string list =
      absl::StrCat(kOnPick, R"(,"method":"list_cities","filter":"b","pagination_token":"p")");
  const std::string map = absl::StrCat(kOnPick, R"(,"method":"map_fields")");
  return {{"l1", "locator_list", list,
           [](auto& message) {
             pb::Resource& resource = *message.mutable_listed()->add_results();
             resource.set_label("Berlin");
             resource.set_value("b");
             resource.set_url("https://b");
             message.mutable_listed()->set_pagination_token("q");
           }},
          {"l2", "locator_list", list,
           [](auto& message) {
             message.mutable_listed()->mutable_data()->set_json(R"({"results": []})");
           }},
          {"l3", "locator_list", list, Failed("locator_list")},
          {"l4", "locator_list", list,
           [](auto& message) { message.mutable_listed()->mutable_data()->set_json("[1,]"); }, true},
          {"m1", "resource_mapping", map,
           [](auto& message) {
             pb::MappedField& field = *message.mutable_mapped()->add_fields();
             field.set_id("f");
             field.set_value_type("string");
             field.set_required(true);
             (*field.mutable_display_name())["en_US"] = "F";
           }},
          {"m2", "resource_mapping", map, Failed("resource_mapping")},
          {"m3", "resource_mapping", map,
           [](auto& message) { message.mutable_mapped()->add_fields()->set_id("f"); }, true}};
}

// A hub that says the same to each, a bridge, and the plugin; everything that is said is written
// down.
class FrontsTest : public BridgeFixture {
 protected:
  std::vector<std::string> Record(Front front) {
    log_.clear();
    scripted_ = std::make_unique<ScriptedHub>();
    options_.plugin_server.max_message_bytes = 1'000'000;
    options_.hub.url = *hub::ParseHubUrl(scripted_->url());
    bridge_ = std::make_unique<App>(options_);
    EXPECT_TRUE(bridge_->Start().ok());
    plugin_ = RawPlugin::Start(front, socket(), pb::PAYLOAD_ENCODING_JSON);
    const grpc::Status published = plugin_->published();
    EXPECT_TRUE(published.ok()) << published.error_message();
    if (!published.ok()) return {};
    NoteFrame();  // the join
    NoteFrame();  // the definition
    for (const auto& exchanges : {Authentications(), Authorizations(), Invocations(), Queries()}) {
      for (const Exchange& exchange : exchanges) Carry(exchange);
    }
    CallHub();
    TimeOut();
    AnswerCallsOfAnEarlierBridge();
    Stop();
    plugin_.reset();
    bridge_.reset();
    scripted_.reset();
    return std::move(log_);
  }

 private:
  void Say(const std::string& event, const std::string& payload) {
    scripted_->Say(
        absl::StrCat(R"([null,null,"debug_plugin:raw-plugin",")", event, "\",", payload, "]"));
  }
  void Call(const std::string& id, const std::string& event, const std::string& members) {
    Say(event, absl::StrCat(R"({"request_id":")", id, "\",", members, "}"));
  }

  // The hub's next frame but for heartbeats.
  hub::PhoenixFrame NextFrame() {
    for (;;) {
      hub::PhoenixFrame frame = scripted_->Take("");
      if (frame.event != "heartbeat") return frame;
    }
  }
  void NoteFrame() {
    const hub::PhoenixFrame frame = NextFrame();
    log_.push_back(absl::StrCat("hub: ", frame.topic, " ", frame.event, " ", frame.payload));
  }

  // What the plugin is told next.
  pb::BridgeMessage Note() {
    pb::BridgeMessage message = plugin_->Read();
    // How long it took until here.
    for (pb::CallInfo* info :
         {message.has_invoke() ? message.mutable_invoke()->mutable_info() : nullptr,
          message.has_authenticate() ? message.mutable_authenticate()->mutable_info() : nullptr,
          message.has_authorize() ? message.mutable_authorize()->mutable_info() : nullptr,
          message.has_list() ? message.mutable_list()->mutable_info() : nullptr,
          message.has_map() ? message.mutable_map()->mutable_info() : nullptr}) {
      if (info != nullptr) info->clear_time_left();
    }
    log_.push_back(absl::StrCat("plugin: ", message.ShortDebugString()));
    return message;
  }

  static void SetId(pb::PluginMessage& message, const std::string& id) {
    if (message.has_failure()) message.mutable_failure()->set_request_id(id);
    if (message.has_authenticated()) message.mutable_authenticated()->set_request_id(id);
    if (message.has_authorized()) message.mutable_authorized()->set_request_id(id);
    if (message.has_invoked()) message.mutable_invoked()->set_request_id(id);
    if (message.has_listed()) message.mutable_listed()->set_request_id(id);
    if (message.has_mapped()) message.mutable_mapped()->set_request_id(id);
  }
  void Send(const std::string& id, const Answer& answer) {
    pb::PluginMessage message;
    answer(message);
    SetId(message, id);
    plugin_->Send(std::move(message));
  }

  void Carry(const Exchange& exchange) {
    Call(exchange.id, exchange.event, exchange.members);
    if (exchange.answer != nullptr) {
      Note();
      Send(exchange.id, exchange.answer);
    }
    NoteFrame();
    if (!exchange.is_rejected) return;
    EXPECT_TRUE(Note().has_rejected()) << exchange.id;
  }

  void CallHub() {
    for (const char* answer : {R"(hub_call_response|,"data":[1e400, -0]})",
                               R"(hub_call_error|,"error":{"code":"no","message":"m","n":1}})"}) {
      const std::string text = answer;
      std::future<RawPlugin::HubOutcome> outcome = plugin_->CallHub("count", R"({"n":[1e400, 2]})");
      const hub::PhoenixFrame frame = NextFrame();
      // The bridge chose the request_id.
      const std::size_t end = frame.payload.find(',');
      log_.push_back(absl::StrCat("hub: ", frame.event, " ", frame.payload.substr(end)));
      Say(text.substr(0, text.find('|')),
          absl::StrCat(frame.payload.substr(0, end), text.substr(text.find('|') + 1)));
      const RawPlugin::HubOutcome came = outcome.get();
      log_.push_back(absl::StrCat("plugin: ", came.status.error_code(), " ",
                                  came.status.error_message(), " ", came.data.json()));
    }
  }

  void TimeOut() {
    Call("t1", "invoke_tool", R"("tool_name":"brief-tool","parameters":{})");
    Note();
    NoteFrame();
    EXPECT_TRUE(Note().has_cancel());
    Send("t1", Invoked("\"late\""));  // Dropped: the next frame is the next call's.
  }

  void AnswerCallsOfAnEarlierBridge() {
    Send("e1", Invoked("\"earlier\""));
    NoteFrame();
    Send("e2", Failed("locator_list"));
    NoteFrame();
    Send("e1", Invoked("\"once more\""));  // Dropped.
    Send("e3", Invoked("[1,]"));
    EXPECT_TRUE(Note().has_rejected());
  }

  void Stop() {
    Call("s1", "invoke_tool", R"("tool_name":"echo-tool","parameters":{})");
    Note();
    plugin_->Drain();
    EXPECT_TRUE(Note().has_drained());
    Send("s1", Invoked("\"last\""));
    EXPECT_TRUE(plugin_->End().ok());
    NoteFrame();
  }

  std::unique_ptr<ScriptedHub> scripted_;
  std::unique_ptr<RawPlugin> plugin_;
  std::vector<std::string> log_;
};

TEST_F(FrontsTest, TheHubAndThePluginAreToldTheSameOnBoth) {
  const std::vector<std::string> typed = Record(Front::kTypedStreams);
  EXPECT_EQ(typed, Record(Front::kServe));
  // Nothing stands still on both.
  for (const char* said :
       {"phx_join", "register_plugin", "credential_auth_spec_response",
        "credential_auth_spec_error", "oauth2_build_authorize_url_response",
        "oauth2_get_token_response", "oauth2_refresh_token_response", "oauth2_refresh_token_error",
        "invoke_tool_response", "invoke_tool_error", "locator_list_response", "locator_list_error",
        "resource_mapping_response", "resource_mapping_error", "unsupported_event",
        "hub_call:count", "sdk:timeout", "\"earlier\"", "\"last\""}) {
    EXPECT_THAT(typed, Contains(HasSubstr(said)));
  }
}

}  // namespace
}  // namespace atomemo::integration
