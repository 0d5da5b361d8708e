// A plugin's answer, as text or as protobuf: what is taken can be read by the hub.
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/devhub/frame_reader.h"
#include "bridge/hub/hub_events.h"
#include "bridge/hub/phoenix_frame.h"
#include "bridge/payload/answers.h"
#include "bridge/payload/payload.h"
#include "tests/fuzz/fuzz_input.h"

namespace atomemo {
namespace {

namespace pb = payload::pb;

void Expect(const absl::StatusOr<std::string>& data) {
  if (!data.ok()) return;
  ATOMEMO_FUZZ_EXPECT(base::CheckJson(*data).ok(), *data);
  const router::HubAnswer answer{"invoke_tool", "r", *data};
  const hub::HubMessage message = hub::EncodeAnswer(answer);
  ATOMEMO_FUZZ_EXPECT(hub::RequestIdOf(message.payload()) == "r", message.payload());
  const std::string frame =
      hub::EncodePhoenixFrame({"1", "2", "t", message.event, message.payload()});
  ATOMEMO_FUZZ_EXPECT(hub::ParsePhoenixFrame(frame).ok(), frame);
}

void ExpectError(const pb::PluginError& error) {
  const hub::HubMessage message =
      hub::EncodeAnswer({"oauth2_get_token", "r", error, error.code() == "unsupported"});
  ATOMEMO_FUZZ_EXPECT(base::CheckJsonObject(message.payload()).ok(), message.payload());
  ATOMEMO_FUZZ_EXPECT(hub::RequestIdOf(message.payload()) == "r", message.payload());
}

template <typename Result>
void Check(const std::string& bytes) {
  Result result;
  if (result.ParseFromString(bytes)) Expect(payload::AnswerJson(result));
}

}  // namespace
}  // namespace atomemo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atomemo;  // NOLINT(google-build-using-namespace)
  absl::string_view input = fuzz::ViewOf(data, size);
  const std::size_t choice = fuzz::TakeChoice(input, 9);
  const std::string text(input);
  if (choice == 0) {
    pb::InvokeResult result;
    result.mutable_data()->set_json(text);
    Expect(payload::AnswerJson(result));
  } else if (choice == 1) {
    pb::PluginError error;
    error.set_message(text);
    error.mutable_details()->set_json(text);
    ExpectError(error);
  } else if (choice == 2) {
    pb::PluginError error;
    if (error.ParseFromString(text)) ExpectError(error);
  } else if (choice == 3) {
    Check<pb::AuthenticateResult>(text);
  } else if (choice == 4) {
    Check<pb::InvokeResult>(text);
  } else if (choice == 5) {
    Check<pb::ListResourcesResult>(text);
  } else if (choice == 6) {
    Check<pb::MapResourceResult>(text);
  } else {
    pb::OAuth2Result result;
    if (!result.ParseFromString(text)) return 0;
    for (const auto step : {pb::OAuth2Step::STEP_NOT_SET, pb::OAuth2Step::kBuildAuthorizeUrl,
                            pb::OAuth2Step::kGetToken, pb::OAuth2Step::kRefreshToken}) {
      Expect(payload::AnswerJson(result, step));
    }
  }
  return 0;
}
