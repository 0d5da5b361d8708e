#include "bridge/devhub/dev_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/http/client.h"
#include "tests/bridge/devhub/raw_websocket.h"

namespace atomemo::devhub {
namespace {

using base::Json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDebugTarget[] = "/debug_socket/websocket?api_key=dev-key&vsn=2.0.0";
constexpr char kReleaseTarget[] = "/release_socket/websocket?vsn=2.0.0";
constexpr char kJoin[] = R"(["1","1","debug_plugin:p","phx_join",{}])";
constexpr char kJoined[] =
    R"(["1","1","debug_plugin:p","phx_reply",{"response":{},"status":"ok"}])";

DevHubOptions AnyPort() {
  DevHubOptions options;
  options.port = 0;
  return options;
}

// A real hub on a port of its own.
class DevHubTest : public ::testing::Test {
 protected:
  void Start(DevHubOptions options = AnyPort()) {
    hub_ = std::make_unique<DevHub>(std::move(options));
    const absl::StatusOr<std::uint16_t> port = hub_->Start();
    ASSERT_TRUE(port.ok()) << port.status();
    port_ = *port;
  }

  http::Response Fetch(const std::string& method, const std::string& path_or_url,
                       const std::string& body = "", const std::string& header = "") {
    http::Request request;
    request.method = method;
    request.url = absl::StartsWith(path_or_url, "http")
                      ? path_or_url
                      : absl::StrCat("http://127.0.0.1:", port_, path_or_url);
    request.body = body;
    if (!header.empty()) request.headers.push_back(header);
    request.timeout = absl::Seconds(20);
    const absl::StatusOr<http::Response> response = http::Fetch(request);
    return response.ok() ? *response : http::Response{0, response.status().ToString()};
  }

  Json FetchJson(const std::string& method, const std::string& path, const std::string& body = "") {
    return base::ParseJson(Fetch(method, path, body).body).value_or(Json());
  }

  // Sends a request whose answer comes later.
  std::future<http::Response> FetchLater(const std::string& path, const std::string& body) {
    return std::async(std::launch::async, [this, path, body] { return Fetch("POST", path, body); });
  }

  std::unique_ptr<DevHub> hub_;
  std::uint16_t port_ = 0;
};

// What a plugin sees of a call: the payload of the frame that carries it.
Json CallPayload(const RawWebSocket::Frame& frame) {
  return base::ParseJson(frame.payload).value_or(Json::array({0, 0, 0, 0, 0}))[4];
}

TEST_F(DevHubTest, BothSocketsOpen) {
  Start();
  EXPECT_EQ(RawWebSocket(port_, kDebugTarget).status(), 101);
  EXPECT_EQ(RawWebSocket(port_, kReleaseTarget).status(), 101);
}

TEST_F(DevHubTest, AHubUrlWithASlashAtItsEndWillDo) {
  Start();
  EXPECT_EQ(RawWebSocket(port_, absl::StrCat("/", kDebugTarget)).status(), 101);
  EXPECT_EQ(RawWebSocket(port_, absl::StrCat("//", kReleaseTarget)).status(), 101);
}

TEST_F(DevHubTest, AWrongOrMissingKeyIsRefusedWith403AndNoBody) {
  Start();
  for (const char* target :
       {"/debug_socket/websocket?api_key=wrong&vsn=2.0.0", "/debug_socket/websocket?vsn=2.0.0"}) {
    const RawWebSocket socket(port_, target);
    EXPECT_EQ(socket.status(), 403);
    EXPECT_THAT(socket.response(), HasSubstr("Content-Length: 0"));
  }
}

TEST_F(DevHubTest, AForeignOriginIsRefusedWith403) {
  Start();
  EXPECT_EQ(RawWebSocket(port_, kDebugTarget, "Origin: https://evil.example\r\n").status(), 403);
  EXPECT_EQ(RawWebSocket(port_, kDebugTarget, "Origin: http://localhost:1\r\n").status(), 101);
}

TEST_F(DevHubTest, UnknownPathsAndVersionsAreRefused) {
  Start();
  EXPECT_EQ(RawWebSocket(port_, "/socket/websocket?vsn=2.0.0").status(), 404);
  EXPECT_EQ(RawWebSocket(port_, "/release_socket/websocket").status(), 400);
}

TEST_F(DevHubTest, APayloadReachesThePluginAsItWasWritten) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  const std::string payload =
      R"({"request_id":"odd","n": 100000000000000000000,"v":1e400,"cut":"\ud83d","n":-0})";
  std::future<http::Response> answer = FetchLater(
      "/api/calls",
      absl::StrCat(R"({"plugin":"p","event":"invoke_tool","payload":{},"payload":)", payload, "}"));
  EXPECT_THAT(plugin.Receive().payload, HasSubstr(payload));
  plugin.Send(
      R"(["1","2","debug_plugin:p","invoke_tool_response",{"request_id":"odd","data":123456789012345678901}])");
  EXPECT_THAT(answer.get().body, HasSubstr(R"("data":123456789012345678901})"));
}

TEST_F(DevHubTest, FramesPassFragmentedAndBetweenPings) {
  Start();
  RawWebSocket socket(port_, kDebugTarget);
  const std::string join = kJoin;
  socket.Send(join.substr(0, 10), RawWebSocket::kText, false);
  socket.Send("are you there", RawWebSocket::kPing);
  socket.Send(join.substr(10), RawWebSocket::kContinuation);
  EXPECT_EQ(socket.Receive().opcode, RawWebSocket::kPong);
  EXPECT_EQ(socket.Receive().payload, kJoined);
}

TEST_F(DevHubTest, AFloodOfPingsIsNotAFloodOfPongs) {
  Start();
  RawWebSocket socket(port_, kDebugTarget);
  constexpr int kPings = 2000;
  for (int i = 1; i <= kPings; ++i) socket.Send(absl::StrCat(i), RawWebSocket::kPing);
  EXPECT_EQ(socket.Receive().payload, "1");
  int pongs = 1;
  for (RawWebSocket::Frame frame; frame.payload != absl::StrCat(kPings); ++pongs) {
    frame = socket.Receive();
    ASSERT_EQ(frame.opcode, RawWebSocket::kPong);
  }
  EXPECT_LT(pongs, kPings / 10);
}

TEST_F(DevHubTest, ABrokenFrameClosesTheSocketWithItsCode) {
  Start();
  RawWebSocket no_array(port_, kDebugTarget);
  no_array.Send(R"({"topic":"t"})");
  EXPECT_EQ(no_array.Receive().close_code(), 1011);
  RawWebSocket no_utf8(port_, kDebugTarget);
  no_utf8.Send("[\"\xff\"]");
  EXPECT_EQ(no_utf8.Receive().close_code(), 1007);
  RawWebSocket binary(port_, kDebugTarget);
  binary.Send("x", RawWebSocket::kBinary);
  EXPECT_EQ(binary.Receive().close_code(), 1011);
}

TEST_F(DevHubTest, AFrameOverTheLimitWithItsHeaderClosesTheSocketWith1009) {
  Start();
  RawWebSocket large(port_, kDebugTarget);
  large.SendHeaderOnly(7'999'987);
  EXPECT_EQ(large.Receive().close_code(), 1009);
  RawWebSocket fits(port_, kDebugTarget);
  std::string heartbeat = R"([null,"1","phoenix","heartbeat",{}])";
  heartbeat.append(7'999'986 - heartbeat.size(), ' ');
  fits.Send(heartbeat);
  EXPECT_THAT(fits.Receive().payload, HasSubstr(R"("status":"ok")"));
}

TEST_F(DevHubTest, TheFrameLimitIsConfigurable) {
  DevHubOptions options = AnyPort();
  options.max_frame_bytes = 1008;
  Start(options);
  RawWebSocket fits(port_, kDebugTarget);
  fits.Send(std::string(1000, ' '));
  EXPECT_EQ(fits.Receive().close_code(), 1011);  // it was read, and is no frame
  RawWebSocket large(port_, kDebugTarget);
  large.SendHeaderOnly(1001);
  EXPECT_EQ(large.Receive().close_code(), 1009);
}

TEST_F(DevHubTest, ASilentSocketIsClosedWith1002) {
  DevHubOptions options = AnyPort();
  options.idle_timeout = absl::Milliseconds(50);
  Start(options);
  RawWebSocket socket(port_, kDebugTarget);
  EXPECT_EQ(socket.Receive().close_code(), 1002);
}

TEST_F(DevHubTest, ACallWaitsForItsAnswer) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  auto answer =
      FetchLater("/api/calls",
                 R"({"plugin":"p","event":"invoke_tool","payload":{"n":1.000},"request_id":"r"})");
  EXPECT_EQ(plugin.Receive().payload,
            R"([null,null,"debug_plugin:p","invoke_tool",{"request_id":"r","n":1.000}])");
  plugin.Send(
      R"(["1","2","debug_plugin:p","invoke_tool_response",{"request_id":"r","data":{"x":1.50}}])");
  const http::Response response = answer.get();
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(
      response.body,
      HasSubstr(
          R"("event":"invoke_tool_response","payload":{"request_id":"r","data":{"x":1.50}})"));
}

TEST_F(DevHubTest, AnAnswerCanCrashItsChannelEachTimeThatItComes) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  Fetch(
      "POST", "/api/calls",
      R"({"plugin":"p","event":"invoke_tool","request_id":"r","wait":false,"on_response":"crash"})");
  plugin.Receive();
  const std::string response =
      R"(["1","2","debug_plugin:p","invoke_tool_response",{"request_id":"r","data":1}])";
  for (int i = 1; i <= 2; ++i) {
    plugin.Send(response);
    EXPECT_EQ(plugin.Receive().payload, R"(["1","1","debug_plugin:p","phx_error",{}])");
    EXPECT_EQ(FetchJson("GET", "/api/calls/r")["undigested"], i);
    plugin.Send(kJoin);
    plugin.Receive();
  }
  EXPECT_EQ(FetchJson("GET", "/api/calls/r")["state"], "pending");
  // The call's error, which was not said to crash anything, is taken.
  plugin.Send(R"(["1","2","debug_plugin:p","invoke_tool_error",{"request_id":"r","error":{}}])");
  plugin.Send(R"([null,"3","phoenix","heartbeat",{}])");
  EXPECT_THAT(plugin.Receive().payload, HasSubstr("phoenix"));
  const Json call = FetchJson("GET", "/api/calls/r");
  EXPECT_EQ(call["state"], "answered");
  EXPECT_EQ(call["answer_count"], 1);
  EXPECT_EQ(FetchJson("GET", "/healthz")["calls"]["undigested_answers"], 2);
}

TEST_F(DevHubTest, AnAnswerCanCloseItsSocketAsUnreadableTextDoes) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  Fetch("POST", "/api/calls",
        R"({"plugin":"p","event":"invoke_tool","request_id":"r","wait":false,)"
        R"("on_response":"take","on_error":"close"})");
  plugin.Receive();
  plugin.Send(R"(["1","2","debug_plugin:p","invoke_tool_error",{"request_id":"r","error":{}}])");
  EXPECT_EQ(plugin.Receive().close_code(), 1011);
  const Json call = FetchJson("GET", "/api/calls/r");
  EXPECT_EQ(call["state"], "pending");
  EXPECT_EQ(call["undigested"], 1);
}

TEST_F(DevHubTest, HeartbeatsOvertakeAnswersWhereChannelsAreBehind) {
  DevHubOptions options = AnyPort();
  options.channel_lag = absl::Minutes(5);
  Start(options);
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  EXPECT_EQ(plugin.Receive().payload, kJoined);
  plugin.Send(R"(["1","2","debug_plugin:p","register_plugin",{}])");
  plugin.Send(R"([null,"3","phoenix","heartbeat",{}])");
  EXPECT_THAT(plugin.Receive().payload, HasSubstr("phoenix"));
}

TEST_F(DevHubTest, AMessageThatComesSlowlyIsWaitedFor) {
  DevHubOptions options = AnyPort();
  options.idle_timeout = absl::Seconds(1);
  Start(options);
  RawWebSocket slow(port_, kDebugTarget);
  RawWebSocket silent(port_, kDebugTarget);
  std::string heartbeat = R"([null,"1","phoenix","heartbeat",{}])";
  heartbeat.append(1000, ' ');
  slow.SendHeaderOnly(heartbeat.size());
  std::future<int> closed =
      std::async(std::launch::async, [&] { return silent.Receive().close_code(); });
  std::size_t sent = 0;
  while (sent < heartbeat.size() - 1 &&
         closed.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
    slow.SendBytes(heartbeat.substr(sent++, 1));
  }
  EXPECT_EQ(closed.get(), 1002);
  slow.SendBytes(heartbeat.substr(sent));
  EXPECT_THAT(slow.Receive().payload, HasSubstr(R"("status":"ok")"));
}

TEST_F(DevHubTest, ACallReachesEverySocketOfItsTopicAndDuplicatesAreShown) {
  Start();
  RawWebSocket first(port_, kDebugTarget);
  RawWebSocket second(port_, kDebugTarget);
  for (RawWebSocket* plugin : {&first, &second}) {
    plugin->Send(kJoin);
    plugin->Receive();
  }
  EXPECT_EQ(Fetch("POST", "/api/calls",
                  R"({"plugin":"p","event":"invoke_tool","request_id":"r","wait":false})")
                .status,
            202);
  for (RawWebSocket* plugin : {&first, &second}) {
    EXPECT_EQ(CallPayload(plugin->Receive())["request_id"], "r");
    plugin->Send(R"(["1","2","debug_plugin:p","invoke_tool_response",{"request_id":"r"}])");
    plugin->Send(R"([null,"3","phoenix","heartbeat",{}])");
    plugin->Receive();  // frames are handled in order: the answer has been taken
  }
  const Json call = FetchJson("GET", "/api/calls/r");
  EXPECT_EQ(call["state"], "answered");
  EXPECT_EQ(call["answer_count"], 2);
  EXPECT_EQ(call["duplicates"], 1);
}

TEST_F(DevHubTest, ACallMayBePushedToOneSocketWithItsJoinRef) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  Fetch("POST", "/api/calls",
        R"({"plugin":"p","event":"e","request_id":"r","wait":false,"delivery":"push"})");
  EXPECT_EQ(plugin.Receive().payload, R"(["1",null,"debug_plugin:p","e",{"request_id":"r"}])");
}

TEST_F(DevHubTest, ACallToAPluginThatIsNotThereNamesThoseThatAre) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  const http::Response response =
      Fetch("POST", "/api/calls", R"({"plugin":"other","event":"invoke_tool"})");
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr(R"("joined":["debug_plugin:p"])"));
}

TEST_F(DevHubTest, ACallThatNobodyAnswersEndsWith504) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  EXPECT_EQ(
      Fetch("POST", "/api/calls", R"({"plugin":"p","event":"invoke_tool","timeout_ms":1})").status,
      504);
}

TEST_F(DevHubTest, UnusableCallsAreRefusedWithTheReason) {
  Start();
  for (const char* body :
       {"", "[]", "{", R"({"event":"e"})", R"({"plugin":"p"})", R"({"plugin":1,"event":"e"})",
        R"({"plugin":"p","event":"e","payload":[]})",
        R"({"plugin":"p","event":"e","timeout_ms":-1})",
        R"({"plugin":"p","event":"e","timeout_ms":"1"})",
        R"({"plugin":"p","event":"e","mode":"x"})", R"({"plugin":"p","event":"e","wait":1})",
        R"({"plugin":"p","event":"e","delivery":"x"})",
        R"({"plugin":"p","event":"e","on_response":"x"})",
        R"({"plugin":"p","event":"e","on_error":1})",
        R"({"plugin":"p","event":"e","request_id":"a","payload":{"request_id":"b"}})"}) {
    const http::Response response = Fetch("POST", "/api/calls", body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_THAT(response.body, HasSubstr("bad_request"));
  }
}

TEST_F(DevHubTest, ShowsPluginsAndDefinitions) {
  Start();
  RawWebSocket plugin(port_, kReleaseTarget);
  plugin.Send(R"(["1","1","release_plugin:p__release__1.0.0","phx_join",{}])");
  plugin.Receive();
  const Json shown = FetchJson("GET", "/api/plugins")["plugins"][0];
  EXPECT_EQ(shown["topic"], "release_plugin:p__release__1.0.0");
  EXPECT_EQ(shown["version"], "1.0.0");
  EXPECT_EQ(shown["registered"], false);
  EXPECT_EQ(Fetch("GET", "/api/plugins/p/definition").status, 404);
  EXPECT_EQ(Fetch("GET", "/api/plugins/q/definition").status, 404);
  EXPECT_THAT(Fetch("GET", "/").body, HasSubstr("release_plugin:p__release__1.0.0"));
}

TEST_F(DevHubTest, ThePageShowsNamesAsTextOnly) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(R"(["1","1","debug_plugin:<script>","phx_join",{}])");
  plugin.Receive();
  EXPECT_THAT(Fetch("GET", "/").body, HasSubstr("debug_plugin:&lt;script&gt;"));
}

TEST_F(DevHubTest, ChannelsAndSocketsCanBeEndedForTests) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  const std::string topic = R"({"topic":"debug_plugin:p"})";
  plugin.Send(kJoin);
  plugin.Receive();
  EXPECT_EQ(FetchJson("POST", "/api/crash_channel", topic)["channels"], 1);
  EXPECT_EQ(plugin.Receive().payload, R"(["1","1","debug_plugin:p","phx_error",{}])");
  EXPECT_EQ(Fetch("POST", "/api/crash_channel", topic).status, 404);
  plugin.Send(kJoin);
  plugin.Receive();
  EXPECT_EQ(FetchJson("POST", "/api/close_channel", topic)["channels"], 1);
  EXPECT_EQ(plugin.Receive().payload, R"(["1","1","debug_plugin:p","phx_close",{}])");
  EXPECT_EQ(Fetch("POST", "/api/disconnect", R"({"code":1005})").status, 400);
  EXPECT_EQ(FetchJson("POST", "/api/disconnect", R"({"code":4001})")["disconnected"], 1);
  EXPECT_EQ(plugin.Receive().close_code(), 4001);
}

TEST_F(DevHubTest, AnAbruptDisconnectSendsNoCloseFrame) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  EXPECT_EQ(FetchJson("POST", "/api/disconnect", R"({"abrupt":true})")["disconnected"], 1);
  EXPECT_EQ(plugin.Receive().opcode, -1);
}

TEST_F(DevHubTest, TheApiAnswersOnlyItsOwnHostsAndOrigins) {
  DevHubOptions options = AnyPort();
  options.allowed_hosts = {"hub"};
  Start(options);
  EXPECT_EQ(Fetch("GET", "/healthz", "", "Host: rebound.example").status, 403);
  EXPECT_EQ(Fetch("POST", "/api/disconnect", "", "Origin: https://evil.example").status, 403);
  EXPECT_EQ(Fetch("GET", "/healthz", "", "Host: hub:4000").status, 200);
  EXPECT_EQ(Fetch("GET", "/healthz").status, 200);
}

TEST_F(DevHubTest, PresignedUrlsStoreAndServeBytes) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  const auto hub_call = [&](const std::string& event, const std::string& data) {
    plugin.Send(absl::StrCat(R"(["1","2","debug_plugin:p","hub_call:)", event,
                             R"(",{"request_id":"r","data":)", data, "}]"));
    return CallPayload(plugin.Receive())["data"];
  };
  const Json upload = hub_call("get_upload_url", R"({"extension":"bin","prefixKey":"up"})");
  const std::string put_url = upload["presigned_url"];
  const std::string get_url = hub_call(
      "get_file_url", absl::StrCat(R"({"res_key":)", upload["res_key"].dump(), "}"))["url"];
  const std::string bytes(100'000, '\xfe');

  EXPECT_EQ(Fetch("GET", get_url).status, 404);
  EXPECT_EQ(Fetch("PUT", put_url, bytes).status, 200);
  EXPECT_EQ(Fetch("GET", get_url).body, bytes);
  EXPECT_EQ(Fetch("GET", put_url).status, 403);
  EXPECT_EQ(Fetch("PUT", get_url, "other").status, 403);
  EXPECT_EQ(Fetch("DELETE", put_url).status, 405);
}

TEST_F(DevHubTest, AnUploadPastTheLimitIsRefusedWith413) {
  DevHubOptions options = AnyPort();
  options.max_file_bytes = 1000;
  Start(options);
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  plugin.Send(
      R"(["1","2","debug_plugin:p","hub_call:get_upload_url",{"request_id":"r","data":{}}])");
  const std::string url = CallPayload(plugin.Receive())["data"]["presigned_url"];
  EXPECT_EQ(Fetch("PUT", url, std::string(1001, 'x')).status, 413);
}

TEST_F(DevHubTest, OfTooMuchThatIsUnfinishedTheLargestIsDropped) {
  DevHubOptions options = AnyPort();
  options.max_unfinished_bytes = 1u << 20;
  Start(options);
  const auto start = [this](std::size_t bytes) {
    return std::async(std::launch::async, [this, bytes] {
      return Fetch("POST", "/api/calls", std::string(bytes, 'x'), "Content-Length: 9000000");
    });
  };
  std::future<http::Response> small = start(500'000);
  const http::Response large = start(2'000'000).get();
  EXPECT_EQ(large.status, 0);
  EXPECT_THAT(large.body, Not(HasSubstr("timed out"))) << "it should not have been kept";
  hub_->Stop();  // the small one has been waiting until now
  EXPECT_EQ(small.get().status, 0);
}

TEST_F(DevHubTest, ABodyOfUnknownLengthIsRefusedRatherThanLost) {
  Start();
  EXPECT_EQ(Fetch("PUT", "/files/a", "the bytes", "Transfer-Encoding: chunked").status, 411);
}

TEST_F(DevHubTest, StoppingClosesSocketsWith1012AndAnswersWaitingCalls) {
  Start();
  RawWebSocket plugin(port_, kDebugTarget);
  plugin.Send(kJoin);
  plugin.Receive();
  auto answer = FetchLater("/api/calls", R"({"plugin":"p","event":"invoke_tool"})");
  plugin.Receive();
  std::future<void> stopped = std::async(std::launch::async, [this] { hub_->Stop(); });
  EXPECT_EQ(plugin.Receive().close_code(), 1012);
  EXPECT_EQ(answer.get().status, 503);
  stopped.get();
}

TEST_F(DevHubTest, StoppingDoesNotWaitForASocketThatIgnoresTheClose) {
  Start();
  const RawWebSocket deaf(port_, kDebugTarget);
  const auto before = std::chrono::steady_clock::now();
  hub_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST_F(DevHubTest, ATakenPortAndAnEmptyKeyAreRefused) {
  Start();
  DevHubOptions taken = AnyPort();
  taken.port = port_;
  const absl::Status status = DevHub(taken).Start().status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat(port_)));
  DevHubOptions keyless = AnyPort();
  keyless.api_key = "";
  EXPECT_TRUE(absl::IsInvalidArgument(DevHub(keyless).Start().status()));
  DevHubOptions nowhere = AnyPort();
  nowhere.host = "no such host";
  EXPECT_TRUE(absl::IsInvalidArgument(DevHub(nowhere).Start().status()));
}

}  // namespace
}  // namespace atomemo::devhub
