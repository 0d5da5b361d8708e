#include "bridge/hub/phoenix_frame.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/base/json_string.h"
#include "bridge/hub/frame_rescue.h"

namespace atomemo::hub {
namespace {

constexpr absl::string_view kNotAFrame = "not a Phoenix V2 frame: ";

absl::Status NotAFrame(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(kNotAFrame, why));
}

absl::Status NotAFrame(const base::JsonReader& reader, absl::string_view why) {
  return NotAFrame(reader.ok() ? why : reader.status().message());
}

// Reads the frame's elements, one after the other.
class FrameReader {
 public:
  explicit FrameReader(absl::string_view text) : text_(text), reader_(text, /*max_depth=*/1) {}

  absl::StatusOr<PhoenixFrame> Read() {
    PhoenixFrame frame;
    if (!reader_.BeginArray()) return NotAFrame(reader_, "");
    if (!ReadRef(frame.join_ref))
      return NotAFrame(reader_, "join_ref is neither a string nor null");
    if (!ReadRef(frame.ref)) return NotAFrame(reader_, "ref is neither a string nor null");
    if (!ReadString(frame.topic)) return NotAFrame(reader_, "topic is not a string");
    if (!ReadString(frame.event)) return NotAFrame(reader_, "event is not a string");
    if (!reader_.NextElement()) return NotAFrame(reader_, "less than five elements");
    absl::Status status = ReadPayload(frame);
    if (!status.ok()) return status;
    return frame;
  }

 private:
  bool ReadString(std::string& out) {
    return reader_.NextElement() && reader_.Peek() == '"' && reader_.ReadString(out);
  }

  bool ReadRef(std::optional<std::string>& out) {
    if (!reader_.NextElement()) return false;
    if (reader_.Peek() == 'n') return reader_.Skip();
    return reader_.Peek() == '"' && reader_.ReadString(out.emplace());
  }

  // The last element and the frame's end.
  absl::Status ReadPayload(PhoenixFrame& frame) {
    // Read apart, so that an error's position and depth are those in the payload.
    const absl::string_view rest = text_.substr(reader_.offset());
    base::JsonReader reader(rest, kMaxPayloadDepth);
    const bool is_object = reader.Peek() == '{';
    const std::size_t begin = reader.offset();
    if (!(is_object ? ReadMembers(reader, begin, frame.members) : reader.Skip())) {
      return reader.status();
    }
    const absl::string_view payload = rest.substr(begin, reader.offset() - begin);
    if (reader.Peek() != ']') return NotAFrame("it does not end after five elements");
    const absl::string_view end = rest.substr(reader.offset() + 1);
    if (base::JsonReader(end).Peek() != '\0') return NotAFrame("something follows its end");
    if (reader.has_lone_surrogates()) {
      frame.payload = base::RepairSurrogates(payload);
      frame.members.clear();
    } else {
      frame.payload = std::string(payload);
    }
    return absl::OkStatus();
  }

  static bool ReadMembers(base::JsonReader& reader, std::size_t begin,
                          std::vector<base::JsonMembers::Place>& members) {
    std::string name;
    absl::string_view value;
    reader.BeginObject();
    while (reader.NextMember(name) && reader.Skip(value)) {
      members.push_back({std::move(name), reader.offset() - begin - value.size(), value.size()});
    }
    return reader.ok();
  }

  const absl::string_view text_;
  base::JsonReader reader_;
};

std::string QuoteOrNull(const std::optional<std::string>& text) {
  return text ? base::QuoteJson(*text) : "null";
}

}  // namespace

absl::StatusOr<PhoenixFrame> ParsePhoenixFrame(absl::string_view text) {
  absl::StatusOr<PhoenixFrame> frame = FrameReader(text).Read();
  if (frame.ok()) return frame;
  std::optional<PhoenixFrame> rescued = RescueFrame(text, frame.status());
  if (rescued) return *std::move(rescued);
  const absl::string_view why = frame.status().message();
  return absl::StartsWith(why, kNotAFrame) ? frame.status() : NotAFrame(why);
}

std::string EncodePhoenixFrame(const PhoenixFrame& frame) {
  const absl::string_view payload = frame.payload;
  return EncodePhoenixFrame(frame, absl::MakeConstSpan(&payload, 1));
}

std::string EncodePhoenixFrame(const PhoenixFrame& frame,
                               absl::Span<const absl::string_view> payload) {
  std::string text =
      absl::StrCat("[", QuoteOrNull(frame.join_ref), ",", QuoteOrNull(frame.ref), ",",
                   base::QuoteJson(frame.topic), ",", base::QuoteJson(frame.event), ",");
  std::size_t size = text.size() + 1;
  for (const absl::string_view part : payload) size += part.size();
  text.reserve(size);  // it may be large: it is put together once
  for (const absl::string_view part : payload) text.append(part.data(), part.size());
  text.push_back(']');
  return text;
}

}  // namespace atomemo::hub
