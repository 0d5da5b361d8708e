// A text of the hub's WebSocket. What the codec reads, damaged or not, it writes again as a whole
// frame, and the development hub's own reader, which follows a stock hub's, sees the same in it.
#include "bridge/devhub/frame_reader.h"
#include "bridge/hub/phoenix_frame.h"
#include "tests/fuzz/fuzz_input.h"

namespace atomemo {
namespace {

bool Same(const hub::PhoenixFrame& a, const hub::PhoenixFrame& b) {
  return a.join_ref == b.join_ref && a.ref == b.ref && a.topic == b.topic && a.event == b.event &&
         a.payload == b.payload;
}

}  // namespace
}  // namespace atomemo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atomemo;  // NOLINT(google-build-using-namespace)
  const absl::string_view text = fuzz::ViewOf(data, size);
  const absl::StatusOr<hub::PhoenixFrame> ours = hub::ParsePhoenixFrame(text);
  const absl::StatusOr<hub::PhoenixFrame> hubs = devhub::ReadHubFrame(text);
  if (!ours.ok()) return 0;
  const std::string again = hub::EncodePhoenixFrame(*ours);
  const absl::StatusOr<hub::PhoenixFrame> reread = hub::ParsePhoenixFrame(again);
  ATOMEMO_FUZZ_EXPECT(reread.ok() && reread->damage.ok(), again);
  ATOMEMO_FUZZ_EXPECT(Same(*ours, *reread), again);
  if (!hubs.ok() || !ours->damage.ok()) return 0;
  ATOMEMO_FUZZ_EXPECT(Same(*ours, *hubs), text);
  const absl::StatusOr<hub::PhoenixFrame> at_hub = devhub::ReadHubFrame(again);
  ATOMEMO_FUZZ_EXPECT(at_hub.ok() && Same(*ours, *at_hub), again);
  return 0;
}
