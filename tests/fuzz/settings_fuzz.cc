// What an operator writes: the hub's URL, environment files and key files.
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/api_key.h"
#include "bridge/base/small_file.h"
#include "bridge/devhub/query.h"
#include "bridge/hub/hub_url.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/scratch_file.h"

namespace atomemo {
namespace {

void CheckUrl(absl::string_view text) {
  const absl::StatusOr<hub::HubUrl> url = hub::ParseHubUrl(text);
  if (!url.ok()) return;
  const std::string formatted = hub::FormatHubUrl(*url);
  const absl::StatusOr<hub::HubUrl> again = hub::ParseHubUrl(formatted);
  ATOMEMO_FUZZ_EXPECT(again.ok(), absl::StrCat(formatted, ": ", again.status().ToString()));
  ATOMEMO_FUZZ_EXPECT(hub::FormatHubUrl(*again) == formatted, formatted);
}

// The key that was read reaches the hub as it is.
void CheckKey(absl::string_view key) {
  const hub::HubUrl url{true, "hub.example", 443, ""};
  const std::string address = hub::SocketUrl(url, router::HubMode::kDebug, key);
  ATOMEMO_FUZZ_EXPECT(hub::ParseHubUrl(address.substr(0, address.find("/debug"))).ok(), address);
  devhub::Query query = devhub::ParseQuery(address.substr(address.find('?') + 1));
  ATOMEMO_FUZZ_EXPECT(query["api_key"] == key && query["vsn"] == "2.0.0", address);
}

void CheckKeyFile(absl::string_view text, bool env_file) {
  static const fuzz::ScratchFile file;
  file.Write(text);
  base::ApiKeySource::Options options;
  (env_file ? options.env_file : options.key_file) = file.path();
  const absl::StatusOr<std::string> key = base::ApiKeySource(std::move(options)).Read();
  if (!key.ok()) return;
  ATOMEMO_FUZZ_EXPECT(!key->empty(), text);
  CheckKey(*key);
}

}  // namespace
}  // namespace atomemo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atomemo;  // NOLINT(google-build-using-namespace)
  absl::string_view text = fuzz::ViewOf(data, size);
  switch (fuzz::TakeChoice(text, 5)) {
    case 0:
      CheckUrl(text);
      break;
    case 1:
      CheckKeyFile(text, false);
      break;
    case 2:
      CheckKeyFile(text, true);
      break;
    case 3:
      CheckKey(text);
      break;
    default:
      for (const absl::string_view name : {"HUB_WS_URL", "HUB_MODE", "A"}) {
        const absl::StatusOr<std::string> value = base::FindInEnvText(text, name);
        if (value.ok()) ATOMEMO_FUZZ_EXPECT(absl::StrContains(text, *value), *value);
      }
  }
  return 0;
}
