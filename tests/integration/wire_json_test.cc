// JSON of every kind through a whole bridge, in both directions, in both encodings and on both
// fronts: it arrives as it was written, or the one call that it belongs to fails at once and says
// why.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "bridge/cli/call_command.h"
#include "bridge/hub/hub_url.h"
#include "tests/integration/bridge_fixture.h"
#include "tests/integration/raw_plugin.h"
#include "tests/integration/scripted_hub.h"

namespace atomemo::integration {
namespace {

namespace pb = ::atomemo::plugin::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What `atomemo-bridge call` printed, and its exit code.
struct Printed {
  int exit_code = -1;
  std::string out;
};

// ---- Behind the development hub, as `atomemo-bridge call` drives it

class WireJsonTest : public BridgeFixture, public ::testing::WithParamInterface<Front> {
 protected:
  void Start(pb::PayloadEncoding encoding) {
    StartHub();
    StartBridge();
    raw_ = RawPlugin::Start(GetParam(), socket(), encoding);
    ASSERT_TRUE(raw_->published().ok());
  }

  // Makes the call with these parameters.
  std::future<Printed> Call(const std::string& parameters) {
    cli::CallOptions options;
    options.plugin = "raw-plugin";
    options.event = "invoke_tool";
    options.json = absl::StrCat(R"({"tool_name":"echo-tool","parameters":)", parameters, "}");
    options.hub_url = absl::StrCat("http", hub_url().substr(2));
    options.raw = true;
    return std::async(std::launch::async, [options] {
      std::ostringstream out;
      Printed printed;
      printed.exit_code = cli::RunCall(options, out, out);
      printed.out = out.str();
      return printed;
    });
  }

  // The invocation that comes next.
  pb::Invocation ReadInvocation() {
    pb::BridgeMessage call = raw_->Read();
    EXPECT_TRUE(call.has_invoke()) << call.DebugString();
    return std::move(*call.mutable_invoke());
  }

  // That the stream and the plugin are as good as before.
  void ExpectNextCallSucceeds() {
    std::future<Printed> next = Call("{}");
    raw_->AnswerText(ReadInvocation().info().request_id(), "\"fine\"");
    EXPECT_THAT(next.get().out, HasSubstr(R"("data":"fine")"));
  }

  std::unique_ptr<RawPlugin> raw_;
};

TEST_P(WireJsonTest, InJsonEveryNumberPassesByteForByteBothWays) {
  Start(pb::PAYLOAD_ENCODING_JSON);
  const std::string parameters =
      R"({"amount":100000000000000000000,"low":-9223372036854775809,"v":1e400,"z":-0,"e":1E+5,)"
      R"("d":0.10})";
  std::future<Printed> printed = Call(parameters);
  const pb::Invocation invocation = ReadInvocation();
  EXPECT_EQ(invocation.parameters().json(), parameters);
  const std::string answer =
      R"({"supply": 115792089237316195423570985008687907853269984665640564039457584007913129639935,)"
      R"("low":-9223372036854775809,"z":-0,"e":1E+5,"d":0.10})";
  raw_->AnswerText(invocation.info().request_id(), answer);
  EXPECT_THAT(printed.get().out, HasSubstr(answer));
}

TEST_P(WireJsonTest, ANumberOfAHundredThousandDigitsArrives) {
  Start(pb::PAYLOAD_ENCODING_JSON);
  const std::string parameters = absl::StrCat(R"({"n":)", std::string(100'000, '7'), "}");
  std::future<Printed> printed = Call(parameters);
  const pb::Invocation invocation = ReadInvocation();
  EXPECT_EQ(invocation.parameters().json(), parameters);
  raw_->AnswerText(invocation.info().request_id(), "1");
  EXPECT_EQ(printed.get().exit_code, 0);
}

TEST_P(WireJsonTest, InStructNumbersAreTheNearestDoublesBothWays) {
  Start(pb::PAYLOAD_ENCODING_STRUCT);
  std::future<Printed> printed =
      Call(R"({"amount":100000000000000000000,"low":-9223372036854775809,"tiny":1e-400})");
  const pb::Invocation invocation = ReadInvocation();
  const auto& fields = invocation.parameters().fields().fields();
  EXPECT_EQ(fields.at("amount").number_value(), 1e20);
  EXPECT_EQ(fields.at("low").number_value(), -9223372036854775808.0);
  EXPECT_EQ(fields.at("tiny").number_value(), 0.0);
  pb::JsonValue answer;
  answer.mutable_value()->set_number_value(1.2345678901234568e20);
  raw_->Answer(invocation.info().request_id(), answer);
  EXPECT_THAT(printed.get().out, HasSubstr(R"("data":1.2345678901234568e+20)"));
}

TEST_P(WireJsonTest, InStructANumberThatNoDoubleHoldsFailsThatCallAtOnce) {
  Start(pb::PAYLOAD_ENCODING_STRUCT);
  const Printed printed = Call(R"({"v":1e400})").get();
  EXPECT_EQ(printed.exit_code, 1);
  EXPECT_THAT(printed.out,
              AllOf(HasSubstr("sdk:invalid_parameter"), HasSubstr("beyond what a double can hold"),
                    HasSubstr("PAYLOAD_ENCODING_JSON")));
  ExpectNextCallSucceeds();
}

TEST_P(WireJsonTest, LoneSurrogatesBecomeTheReplacementCharacterBothWays) {
  Start(pb::PAYLOAD_ENCODING_JSON);
  std::future<Printed> printed = Call(R"({"text":"cut emoji \ud83d","\udc00":"\ud83d\ude00"})");
  const pb::Invocation invocation = ReadInvocation();
  EXPECT_EQ(invocation.parameters().json(),
            R"({"text":"cut emoji \ufffd","\ufffd":"\ud83d\ude00"})");
  raw_->AnswerText(invocation.info().request_id(), R"("also cut \udfff")");
  EXPECT_THAT(printed.get().out, HasSubstr(R"("data":"also cut \ufffd")"));
}

TEST_P(WireJsonTest, InStructLoneSurrogatesAreTheReplacementCharacter) {
  Start(pb::PAYLOAD_ENCODING_STRUCT);
  std::future<Printed> printed = Call(R"({"text":"cut emoji \ud83d","low":"\udc00"})");
  const pb::Invocation invocation = ReadInvocation();
  const auto& fields = invocation.parameters().fields().fields();
  EXPECT_EQ(fields.at("text").string_value(), "cut emoji \uFFFD");
  EXPECT_EQ(fields.at("low").string_value(), "\uFFFD");
  raw_->AnswerText(invocation.info().request_id(), "1");
  EXPECT_EQ(printed.get().exit_code, 0);
}

TEST_P(WireJsonTest, ACallThatNestsTooDeepIsAnsweredAtOnceWithTheReason) {
  for (const pb::PayloadEncoding encoding :
       {pb::PAYLOAD_ENCODING_JSON, pb::PAYLOAD_ENCODING_STRUCT}) {
    Start(encoding);
    for (const int levels : {101, 400}) {
      const Printed printed =
          Call(absl::StrCat(R"({"a":)", std::string(levels, '['), std::string(levels, ']'), "}"))
              .get();
      EXPECT_EQ(printed.exit_code, 1);
      EXPECT_THAT(printed.out, AllOf(HasSubstr("invoke_tool_error"), HasSubstr("request_id"),
                                     HasSubstr("nested deeper than")));
    }
    ExpectNextCallSucceeds();
    raw_.reset();
    bridge_.reset();
    hub_.reset();
  }
}

TEST_P(WireJsonTest, NaNInAnAnswerFailsThatCallAndTellsBothSidesWhereAndWhat) {
  Start(pb::PAYLOAD_ENCODING_JSON);
  std::future<Printed> printed = Call("{}");
  raw_->AnswerText(ReadInvocation().info().request_id(), R"({"average": NaN})");
  const auto says =
      AllOf(HasSubstr("line 1, column 13: NaN is no JSON: use null"), HasSubstr("average"));
  const Printed error = printed.get();
  EXPECT_EQ(error.exit_code, 1);
  EXPECT_THAT(error.out, AllOf(says, HasSubstr("sdk:invalid_return")));
  const pb::BridgeMessage rejected = raw_->Read();
  ASSERT_EQ(rejected.rejected().violations_size(), 1);
  EXPECT_EQ(rejected.rejected().violations(0).path(), "data");
  EXPECT_THAT(rejected.rejected().violations(0).message(), says);
  ExpectNextCallSucceeds();
}

TEST_P(WireJsonTest, NaNInAStructIsNamedByItsPlace) {
  Start(pb::PAYLOAD_ENCODING_STRUCT);
  std::future<Printed> printed = Call("{}");
  pb::JsonValue answer;
  (*answer.mutable_value()->mutable_struct_value()->mutable_fields())["average"].set_number_value(
      std::numeric_limits<double>::quiet_NaN());
  raw_->Answer(ReadInvocation().info().request_id(), answer);
  EXPECT_THAT(printed.get().out,
              AllOf(HasSubstr("NaN is no JSON: use null"), HasSubstr("average")));
}

TEST_P(WireJsonTest, ACallBeyondWhatThePluginTakesFailsAloneAndSaysWhatToRaise) {
  Start(pb::PAYLOAD_ENCODING_JSON);
  std::future<Printed> before = Call("{}");
  const std::string first = ReadInvocation().info().request_id();
  const Printed large =
      Call(absl::StrCat(R"({"text":")", std::string(5'000'000, 'x'), "\"}")).get();
  EXPECT_THAT(large.out, AllOf(HasSubstr("takes 4194304"), HasSubstr("max_receive_bytes")));
  raw_->AnswerText(first, "\"in time\"");
  EXPECT_THAT(before.get().out, HasSubstr("in time"));
  ExpectNextCallSucceeds();
}

TEST_P(WireJsonTest, BadJsonInACallToTheHubIsRefusedWithItsPlace) {
  Start(pb::PAYLOAD_ENCODING_JSON);
  const RawPlugin::HubOutcome outcome = raw_->CallHub("invoke_llm", R"({"n":[1,]})").get();
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(outcome.status.error_message(),
              AllOf(HasSubstr("`data`"), HasSubstr("column 9: a comma stands before the end")));
}

// ---- Behind a hub that says what no real one does

class ScriptedHubTest : public WireJsonTest {
 protected:
  void StartScripted(pb::PayloadEncoding encoding) {
    const absl::StatusOr<hub::HubUrl> url = hub::ParseHubUrl(scripted_.url());
    ASSERT_TRUE(url.ok()) << url.status();
    options_.hub.url = *url;
    bridge_ = std::make_unique<App>(options_);
    ASSERT_TRUE(bridge_->Start().ok());
    raw_ = RawPlugin::Start(GetParam(), socket(), encoding);
    ASSERT_TRUE(raw_->published().ok());
  }

  void SayEvent(const std::string& event, const std::string& payload) {
    scripted_.Say(
        absl::StrCat(R"([null,null,"debug_plugin:raw-plugin",")", event, "\",", payload, "]"));
  }

  // That the next call gets through.
  void ExpectGoodCall(const std::string& request_id) {
    SayEvent("invoke_tool", absl::StrCat(R"({"request_id":")", request_id,
                                         R"(","tool_name":"echo-tool","parameters":{}})"));
    EXPECT_EQ(ReadInvocation().info().request_id(), request_id);
    raw_->AnswerText(request_id, "1");
    EXPECT_EQ(scripted_.Take("invoke_tool_response").payload,
              absl::StrCat(R"({"request_id":")", request_id, R"(","data":1})"));
  }

  ScriptedHub scripted_;
};

TEST_P(ScriptedHubTest, EveryFrameThatShowsARequestIdIsAnswered) {
  StartScripted(pb::PAYLOAD_ENCODING_JSON);
  const std::string deep(100'000, '[');
  int number = 0;
  for (const std::string& inside :
       {std::string("NaN"), std::string("[1,]"), std::string("01"), std::string("\"\\x\""),
        std::string("\"tab\there\""), std::string("{'a':1}"), std::string(1, '\0'), deep,
        absl::StrCat(deep, std::string(deep.size(), ']')), std::string("{\"request_id\":\"no\"")}) {
    const std::string id = absl::StrCat("bad-", ++number);
    SayEvent("invoke_tool",
             absl::StrCat(R"({"request_id":")", id, R"(","tool_name":"echo-tool","parameters":)",
                          inside, "}"));
    const hub::PhoenixFrame answer = scripted_.Take("invoke_tool_error");
    EXPECT_THAT(answer.payload, AllOf(HasSubstr(absl::StrCat("\"request_id\":\"", id, "\"")),
                                      HasSubstr("the call cannot be read: ")))
        << inside.substr(0, 40);
  }
  ExpectGoodCall("good");
}

TEST_P(ScriptedHubTest, WhatCannotBeRecognisedHarmsNobody) {
  StartScripted(pb::PAYLOAD_ENCODING_STRUCT);
  for (const char* text :
       {"", "x", "[", "{}", "[1,2,3]", "[null,null,\"t\",\"e\",NaN]",
        "[null,null,\"debug_plugin:raw-plugin\",\"invoke_tool\",{\"request_id\":7,}]"}) {
    scripted_.Say(text);
  }
  ExpectGoodCall("good");
}

TEST_P(ScriptedHubTest, AnAnswerOfTheHubThatCannotBeReadFailsThePluginsCallAtOnce) {
  StartScripted(pb::PAYLOAD_ENCODING_JSON);
  std::future<RawPlugin::HubOutcome> outcome = raw_->CallHub("invoke_llm");
  std::string payload = scripted_.Take("hub_call:invoke_llm").payload;
  payload.pop_back();  // {"request_id":"...","data":{}
  SayEvent("hub_call_response", absl::StrCat(payload, R"(,"data":{"s3cret":NaN}})"));
  const grpc::Status status = outcome.get().status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), AllOf(HasSubstr("the hub's answer cannot be read"),
                                            HasSubstr("NaN is no JSON"), Not(HasSubstr("s3cret"))));
}

TEST_P(ScriptedHubTest, TheHubsNumbersReachThePluginByteForByte) {
  StartScripted(pb::PAYLOAD_ENCODING_JSON);
  std::future<RawPlugin::HubOutcome> outcome = raw_->CallHub("count");
  std::string payload = scripted_.Take("hub_call:count").payload;
  payload.pop_back();
  SayEvent("hub_call_response",
           absl::StrCat(payload, R"(,"data":[100000000000000000000, 1e400]})"));
  EXPECT_EQ(outcome.get().data.json(), "[100000000000000000000, 1e400]");
}

TEST_P(ScriptedHubTest, AnAnswerOfTheHubThatNoStructTakesFailsThePluginsCallAtOnce) {
  StartScripted(pb::PAYLOAD_ENCODING_STRUCT);
  std::future<RawPlugin::HubOutcome> outcome = raw_->CallHub("count");
  std::string payload = scripted_.Take("hub_call:count").payload;
  payload.pop_back();
  SayEvent("hub_call_response", absl::StrCat(payload, R"(,"data":1e400})"));
  EXPECT_THAT(outcome.get().status.error_message(), HasSubstr("beyond what a double can hold"));
}

// ---- Recorded inputs that are not part of the project: $ATOMEMO_CASES_DIR, or else
// ../shared/cases
// ---- seen from the project's root

class RecordedCasesTest : public ScriptedHubTest {
 protected:
  // The files whose names have `part` in them, in order.
  static std::vector<std::filesystem::path> Files(const std::string& part) {
    const char* const configured = std::getenv("ATOMEMO_CASES_DIR");
    const std::filesystem::path folder = configured != nullptr ? configured : "../shared/cases";
    std::vector<std::filesystem::path> files;
    if (!std::filesystem::is_directory(folder)) return files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (absl::StrContains(entry.path().filename().string(), part)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  static std::string Read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Answers each invocation with its parameters, up to the one with the id "last".
  void EchoUntilLast() {
    std::string id;
    while (id != "last") {
      pb::BridgeMessage call = raw_->Read();
      if (call.ByteSizeLong() == 0) return;
      if (!call.has_invoke()) continue;
      id = call.invoke().info().request_id();
      pb::JsonValue data;
      if (call.invoke().parameters().has_json()) {
        data.set_json(call.invoke().parameters().json());
      } else {
        *data.mutable_value()->mutable_struct_value() = call.invoke().parameters().fields();
      }
      raw_->Answer(id, std::move(data));
    }
  }

  // Says each file's call and returns the frames of the hub that answer them.
  std::vector<hub::PhoenixFrame> SayAll(const std::vector<std::filesystem::path>& files) {
    const std::future<void> echo = std::async(std::launch::async, [this] { EchoUntilLast(); });
    std::vector<hub::PhoenixFrame> answers;
    for (const std::filesystem::path& file : files) {
      SayEvent("invoke_tool", PayloadOf(file));
      answers.push_back(scripted_.Take("invoke_tool_"));
    }
    SayEvent("invoke_tool", R"({"request_id":"last","tool_name":"echo-tool","parameters":{}})");
    EXPECT_EQ(scripted_.Take("invoke_tool_").event, "invoke_tool_response");
    return answers;
  }

  // The text behind `invoke_tool`.
  static std::string PayloadOf(const std::filesystem::path& file) {
    const std::string frame = Read(file);
    const std::size_t begin = frame.find(R"({"request_id")");
    return frame.substr(begin, frame.rfind('}') + 1 - begin);
  }

  static std::string IdOf(const std::string& payload) {
    const std::size_t begin = payload.find(R"("request_id":")");
    return payload.substr(begin, payload.find(',', begin) - begin);
  }
};

TEST_P(RecordedCasesTest, InJsonEachReachesThePluginUnchangedOrIsAnsweredWithAReason) {
  const std::vector<std::filesystem::path> files = Files(".frame.json");
  if (files.empty()) GTEST_SKIP() << "there are no recorded cases";
  StartScripted(pb::PAYLOAD_ENCODING_JSON);
  const std::vector<hub::PhoenixFrame> answers = SayAll(files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string payload = PayloadOf(files[i]);
    EXPECT_THAT(answers[i].payload, HasSubstr(IdOf(payload))) << files[i];
    if (absl::StrContains(files[i].string(), "nested")) {
      EXPECT_THAT(answers[i].payload, HasSubstr("nested deeper than"));
      continue;
    }
    const std::size_t begin =
        payload.find(R"("parameters":)") + std::string("\"parameters\":").size();
    const std::string parameters = payload.substr(begin, payload.size() - 1 - begin);
    EXPECT_THAT(answers[i].payload,
                HasSubstr(absl::StrCat(
                    "\"data\":", absl::StrReplaceAll(parameters, {{R"(\ud83d)", R"(\ufffd)"}}))))
        << files[i];
  }
}

TEST_P(RecordedCasesTest, InStructEachIsAnsweredAndOnlyWhatNoStructTakesWithAnError) {
  const std::vector<std::filesystem::path> files = Files(".frame.json");
  if (files.empty()) GTEST_SKIP() << "there are no recorded cases";
  StartScripted(pb::PAYLOAD_ENCODING_STRUCT);
  const std::vector<hub::PhoenixFrame> answers = SayAll(files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string name = files[i].filename().string();
    EXPECT_THAT(answers[i].payload, HasSubstr(IdOf(PayloadOf(files[i])))) << name;
    const bool fails =
        absl::StrContains(name, "beyond-double") || absl::StrContains(name, "nested");
    EXPECT_EQ(answers[i].event, fails ? "invoke_tool_error" : "invoke_tool_response") << name;
  }
}

TEST_P(RecordedCasesTest, EachAnswerPassesUnchangedOrSaysWhatIsNoJson) {
  const std::vector<std::filesystem::path> files = Files("-answer-");
  if (files.empty()) GTEST_SKIP() << "there are no recorded cases";
  StartScripted(pb::PAYLOAD_ENCODING_JSON);
  for (const std::filesystem::path& file : files) {
    SayEvent("invoke_tool", absl::StrCat(R"({"request_id":")", file.filename().string(),
                                         R"(","tool_name":"echo-tool","parameters":{}})"));
    const std::string text = Read(file);
    pb::BridgeMessage call = raw_->Read();
    while (call.has_rejected()) call = raw_->Read();
    raw_->AnswerText(call.invoke().info().request_id(), text);
    EXPECT_THAT(scripted_.Take("invoke_tool_").payload,
                HasSubstr(absl::StrContains(text, "NaN") ? "NaN is no JSON: use null" : text))
        << file;
  }
}

const auto kFronts = ::testing::Values(Front::kTypedStreams, Front::kServe);
std::string FrontName(const ::testing::TestParamInfo<Front>& front) {
  return front.param == Front::kServe ? "Serve" : "TypedStreams";
}
INSTANTIATE_TEST_SUITE_P(Fronts, WireJsonTest, kFronts, FrontName);
INSTANTIATE_TEST_SUITE_P(Fronts, ScriptedHubTest, kFronts, FrontName);
INSTANTIATE_TEST_SUITE_P(Fronts, RecordedCasesTest, kFronts, FrontName);

}  // namespace
}  // namespace atomemo::integration
