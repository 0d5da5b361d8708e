// How long calls of each kind may take, and who may say so.

#include <gmock/gmock.h>

#include <string>

#include "google/protobuf/util/time_util.h"
#include "tests/bridge/router/router_fixture.h"

namespace atomemo::router {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// A timeout of 90 seconds, in the definition.
constexpr char kTimedTool[] =
    R"({"name":"forecast","display_name":{"en_US":"F"},"description":{"en_US":"d"},"icon":"i",
    "timeout":90000,"parameters":[]})";
// Of two hours.
constexpr char kSlowTool[] =
    R"({"name":"forecast","display_name":{"en_US":"F"},"description":{"en_US":"d"},"icon":"i",
    "timeout":7200000,"parameters":[]})";

pb::ToolPolicy PolicyOf(absl::Duration timeout) {
  pb::ToolPolicy policy;
  *policy.mutable_timeout() =
      google::protobuf::util::TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(timeout));
  return policy;
}

class TimeoutTest : public RouterTest {
 protected:
  explicit TimeoutTest(RouterOptions options = {}) : RouterTest(std::move(options)) {}

  // What the plugin is told about a new call, which must have ended just then.
  absl::Duration TimeLeft(const std::string& request_id) {
    HubInvokes(request_id);
    const auto call = worker_->calls->calls.back().As<pb::Invocation>();
    const auto left = absl::Nanoseconds(
        google::protobuf::util::TimeUtil::DurationToNanoseconds(call.info().time_left()));
    scheduler_.Advance(left - absl::Milliseconds(1));
    EXPECT_THAT(hub_.AnswersTo(request_id), IsEmpty());
    scheduler_.Advance(absl::Milliseconds(1));
    EXPECT_EQ(ErrorOf(request_id).code(), "sdk:timeout");
    return left;
  }
  void Start(pb::ToolPolicy policy, const char* tool = kTool) {
    worker_ = StartWorker(16, std::move(policy), tool);
    HubUp();
  }

  std::unique_ptr<Worker> worker_;
};

TEST_F(TimeoutTest, AToolHasHalfAnHourUnlessItSays) {
  Start({});
  EXPECT_EQ(TimeLeft("r1"), absl::Minutes(30));
}

TEST_F(TimeoutTest, AToolsPolicyMaySayLess) {
  Start(PolicyOf(absl::Seconds(45)));
  EXPECT_EQ(TimeLeft("r1"), absl::Seconds(45));
}

TEST_F(TimeoutTest, AToolsPolicyMayNotSayMoreThanHalfAnHour) {
  Start(PolicyOf(absl::Hours(2)));
  EXPECT_EQ(TimeLeft("r1"), absl::Minutes(30));
}

TEST_F(TimeoutTest, ATimeoutOfNothingIsAMillisecond) {
  Start(PolicyOf(absl::ZeroDuration()));
  EXPECT_EQ(TimeLeft("r1"), absl::Milliseconds(1));
}

TEST_F(TimeoutTest, AToolsDefinitionMaySay) {
  Start({}, kTimedTool);
  EXPECT_EQ(TimeLeft("r1"), absl::Seconds(90));
}

TEST_F(TimeoutTest, AToolsDefinitionMayNotSayMoreThanHalfAnHour) {
  Start({}, kSlowTool);
  EXPECT_EQ(TimeLeft("r1"), absl::Minutes(30));
}

TEST_F(TimeoutTest, AToolsPolicyOverridesItsDefinition) {
  Start(PolicyOf(absl::Seconds(45)), kTimedTool);
  EXPECT_EQ(TimeLeft("r1"), absl::Seconds(45));
}

class OtherTimeoutsTest : public TimeoutTest {
 protected:
  static RouterOptions Options() {
    RouterOptions options;
    options.timeouts.authenticate = absl::Seconds(1);
    options.timeouts.oauth2 = absl::Seconds(2);
    options.timeouts.invoke = absl::Seconds(3);
    options.timeouts.list_resources = absl::Seconds(4);
    options.timeouts.map_resource = absl::Seconds(5);
    return options;
  }
  OtherTimeoutsTest() : TimeoutTest(Options()) {
    Start({});
    for (const CallKind kind : {CallKind::kAuthenticate, CallKind::kAuthorizeOAuth2,
                                CallKind::kListResources, CallKind::kMapResource}) {
      EXPECT_TRUE(router_.Subscribe(worker_->session_id, kind, 16, worker_->calls).ok());
    }
  }

  template <typename Payload>
  void ExpectTimeout(const std::string& event, Payload payload, absl::Duration timeout) {
    payload.mutable_info()->set_request_id(event);
    router_.OnHubCall(kTopic, fakes::CallOf(event, std::move(payload)));
    scheduler_.Advance(timeout - absl::Milliseconds(1));
    EXPECT_THAT(hub_.AnswersTo(event), IsEmpty()) << event;
    scheduler_.Advance(absl::Milliseconds(1));
    EXPECT_EQ(ErrorOf(event).code(), "sdk:timeout") << event;
  }
};

TEST_F(OtherTimeoutsTest, EachKindHasItsOwn) {
  pb::Authentication authentication;
  authentication.set_credential_name("api-key");
  ExpectTimeout("credential_auth_spec", authentication, absl::Seconds(1));
  pb::OAuth2Step step;
  step.set_credential_name("api-key");
  ExpectTimeout("oauth2_get_token", step, absl::Seconds(2));
  pb::Invocation invocation;
  invocation.set_tool_name("forecast");
  ExpectTimeout("invoke_tool", invocation, absl::Seconds(3));
  pb::ResourceQuery query;
  query.set_tool_name("forecast");
  query.set_method("list_cities");
  ExpectTimeout("locator_list", query, absl::Seconds(4));
  pb::MappingQuery mapping;
  mapping.set_tool_name("forecast");
  mapping.set_method("map_fields");
  ExpectTimeout("resource_mapping", mapping, absl::Seconds(5));
}

TEST(TimeoutsTest, TheDefaultsAreTheElixirSdks) {
  const Timeouts timeouts;
  EXPECT_EQ(timeouts.authenticate, absl::Seconds(5));
  EXPECT_EQ(timeouts.oauth2, absl::Seconds(60));
  EXPECT_EQ(timeouts.invoke, absl::Minutes(30));
  EXPECT_EQ(timeouts.list_resources, absl::Seconds(15));
  EXPECT_EQ(timeouts.map_resource, absl::Seconds(15));
}

}  // namespace
}  // namespace atomemo::router
