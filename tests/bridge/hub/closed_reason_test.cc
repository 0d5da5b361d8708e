#include "bridge/hub/closed_reason.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace atomemo::hub {
namespace {

using router::pb::HubState;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

WebSocketClosed Http(int status, std::string reason, std::string location = "") {
  WebSocketClosed closed;
  closed.http_status = status;
  closed.reason = std::move(reason);
  closed.location = std::move(location);
  return closed;
}

std::string Reason(const WebSocketClosed& closed) { return ExplainClose(closed, false).reason(); }

TEST(ClosedReasonTest, ARefusedKeySaysHowToGetANewOne) {
  for (const int status : {401, 403}) {
    const HubState state = ExplainClose(Http(status, "HTTP 403 Forbidden"), true);
    EXPECT_EQ(state.state(), HubState::STATE_UNAUTHORIZED);
    EXPECT_THAT(state.reason(),
                AllOf(HasSubstr("API key"), HasSubstr("atomemo plugin refresh-key")));
  }
  const HubState without_key = ExplainClose(Http(403, "HTTP 403 Forbidden"), false);
  EXPECT_EQ(without_key.state(), HubState::STATE_DISCONNECTED);
  EXPECT_THAT(without_key.reason(), Not(HasSubstr("key")));
}

TEST(ClosedReasonTest, AHubThatHasMovedSaysWhatToSet) {
  EXPECT_THAT(
      Reason(Http(301, "HTTP 301 Moved Permanently",
                  "https://new.example/base/debug_socket/websocket?api_key=s3cret&vsn=2.0.0")),
      AllOf(HasSubstr("HTTP 301"), HasSubstr("set HUB_WS_URL to wss://new.example:443/base"),
            Not(HasSubstr("s3cret"))));
  EXPECT_THAT(Reason(Http(308, "HTTP 308", "http://h:81/release_socket/websocket?vsn=2.0.0")),
              HasSubstr("set HUB_WS_URL to ws://h:81"));
}

TEST(ClosedReasonTest, ARedirectionElsewhereNamesThePlaceWithoutSecrets) {
  EXPECT_THAT(Reason(Http(302, "HTTP 302 Found", "https://u:s3cret@login.example/in?token=s3cret")),
              AllOf(HasSubstr("https://login.example/in"), HasSubstr("HUB_WS_URL"),
                    Not(HasSubstr("s3cret"))));
  EXPECT_THAT(Reason(Http(302, "HTTP 302 Found", "/login?next=s3cret")),
              AllOf(HasSubstr("/login"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(Reason(Http(302, "HTTP 302 Found")), HasSubstr("without saying where"));
  const HubState latin1 = ExplainClose(Http(302, "HTTP 302 Found", "/anm\xe4lan"), false);
  EXPECT_TRUE(HubState().ParseFromString(latin1.SerializeAsString()));
}

TEST(ClosedReasonTest, AnHttpServerThatIsNoHubPointsAtTheAddress) {
  EXPECT_THAT(Reason(Http(200, "HTTP 200 OK")),
              AllOf(HasSubstr("no WebSocket"), HasSubstr("HUB_WS_URL")));
  for (const int status : {404, 405, 426}) {
    EXPECT_THAT(Reason(Http(status, "HTTP")), HasSubstr("HUB_WS_URL")) << status;
  }
}

TEST(ClosedReasonTest, ABusyHubSaysHowLong) {
  WebSocketClosed closed = Http(429, "HTTP 429 Too Many Requests");
  closed.retry_after = absl::Seconds(90);
  EXPECT_THAT(Reason(closed), AllOf(HasSubstr("429"), HasSubstr("1m30s")));
}

TEST(ClosedReasonTest, TlsOnOneSideOnlyIsAHint) {
  WebSocketClosed closed;
  closed.reason = "closed";
  closed.scheme_hint = SchemeHint::kMaybeTls;
  EXPECT_THAT(Reason(closed), AllOf(HasSubstr("cannot connect: closed"), HasSubstr("wss://")));
  closed.scheme_hint = SchemeHint::kMaybePlain;
  EXPECT_THAT(Reason(closed), AllOf(HasSubstr("ws://"), Not(HasSubstr("wss://"))));
}

std::string ReasonOfLoss(std::uint16_t code, std::string reason = "", bool by_bridge = false) {
  WebSocketClosed closed;
  closed.was_open = true;
  closed.code = code;
  closed.reason = std::move(reason);
  closed.by_bridge = by_bridge;
  return Reason(closed);
}

TEST(ClosedReasonTest, AHubThatClosesForAMessageOfTheBridgeIsSaidToHaveRefusedIt) {
  EXPECT_EQ(ReasonOfLoss(kCloseTooBig),
            "connection lost: the hub refused a message of the bridge as too large (1009)");
  EXPECT_EQ(ReasonOfLoss(kCloseTooBig, "max 8000000"),
            "connection lost: the hub refused a message of the bridge as too large: max 8000000 "
            "(1009)");
  EXPECT_EQ(ReasonOfLoss(kCloseInternalError),
            "connection lost: the hub could not read a message of the bridge, or failed by itself "
            "(1011)");
  for (const std::uint16_t code : {kCloseUnsupported, kCloseInvalidText}) {
    EXPECT_THAT(ReasonOfLoss(code), HasSubstr("the hub refused a message of the bridge ("));
  }
}

TEST(ClosedReasonTest, AHubThatClosesForReasonsOfItsOwnIsQuoted) {
  EXPECT_EQ(ReasonOfLoss(1012, "restart"), "connection lost: restart (1012)");
  EXPECT_EQ(ReasonOfLoss(kCloseNormal), "connection lost: closed by the hub (1000)");
}

TEST(ClosedReasonTest, ABridgeThatClosesForAMessageOfTheHubBlamesNoMessageOfItsOwn) {
  for (const std::uint16_t code : {kCloseTooBig, kCloseInternalError, kCloseInvalidText}) {
    EXPECT_EQ(ReasonOfLoss(code, "the hub sent too much", true),
              absl::StrCat("connection lost: the hub sent too much (", code, ")"));
  }
}

}  // namespace
}  // namespace atomemo::hub
