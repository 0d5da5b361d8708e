// Refusals and errors of the hub, and what the development hub reads from JSON by name.
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/base/json_members.h"
#include "bridge/hub/hub_events.h"
#include "bridge/hub/hub_refusal.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atomemo;  // NOLINT(google-build-using-namespace)
  const absl::string_view text = fuzz::ViewOf(data, size);
  if (!base::CheckJson(text).ok()) return 0;
  const hub::HubRefusal refusal = hub::ReadRefusal(text);
  ATOMEMO_FUZZ_EXPECT(!refusal.message.empty(), text);
  ATOMEMO_FUZZ_EXPECT(refusal.violations.size() <= 100, text);
  const absl::Status error = hub::HubErrorStatus(text);
  ATOMEMO_FUZZ_EXPECT(!error.ok() && !error.message().empty(), text);

  const absl::StatusOr<base::Json> json = base::ParseJson(text);
  if (!json.ok() || !json->is_object()) return 0;
  for (const char* name : {"request_id", "payload", "a"}) {
    if (const std::optional<std::string> object = base::ObjectMember(text, name)) {
      ATOMEMO_FUZZ_EXPECT(base::CheckJsonObject(*object).ok(), *object);
    }
    const std::optional<std::string> value = base::StringMember(text, name);
    if (value) ATOMEMO_FUZZ_EXPECT(json->contains(name), text);
  }
  if (json->contains("request_id")) return 0;
  const std::string with_id =
      base::PrependMember(text, "request_id", base::QuoteJson("a\"\\\n\xc3\xa9"));
  ATOMEMO_FUZZ_EXPECT(base::CheckJsonObject(with_id).ok(), with_id);
  ATOMEMO_FUZZ_EXPECT(hub::RequestIdOf(with_id) == "a\"\\\n\xc3\xa9", with_id);
  ATOMEMO_FUZZ_EXPECT(base::StringMember(with_id, "request_id") == hub::RequestIdOf(with_id),
                      with_id);
  return 0;
}
