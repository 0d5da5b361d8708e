#include "bridge/journal/call_note.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace atomemo::journal {
namespace {

const std::vector<CallNote>& Notes() {
  static const auto* notes = new std::vector<CallNote>{
      {NoteKind::kAccepted, "debug_plugin:weather", "a\"b\\c\nd\te \xc3\xa9", "invoke_tool", 1234},
      {NoteKind::kAccepted, "", "r", "", std::numeric_limits<std::int64_t>::min()},
      {NoteKind::kStarted, "t", "r", "worker"},
      {NoteKind::kFailed, "t", "r", absl::string_view("\0\xff\n", 3)},
      {NoteKind::kEnded, "t", "r"}};
  return *notes;
}

void ExpectSame(const CallNote& note, const CallNote& expected) {
  EXPECT_EQ(note.kind, expected.kind);
  EXPECT_EQ(note.topic, expected.topic);
  EXPECT_EQ(note.request_id, expected.request_id);
  EXPECT_EQ(note.text, expected.text);
  EXPECT_EQ(note.due_ms, expected.due_ms);
}

TEST(CallNoteTest, BytesSayWhatTheNoteSays) {
  for (const CallNote& note : Notes()) {
    std::string bytes = "what was there before";
    EncodeNote(note, bytes);
    const std::optional<CallNote> decoded = DecodeNote(bytes);
    ASSERT_TRUE(decoded.has_value());
    ExpectSame(*decoded, note);
  }
}

TEST(CallNoteTest, ALineSaysWhatTheNoteSays) {
  for (const CallNote& note : Notes()) {
    std::string line;
    AppendNoteLine(note, line);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    const std::optional<OwnedNote> parsed = ParseNoteLine(line);
    ASSERT_TRUE(parsed.has_value()) << line;
    ExpectSame(parsed->view(), note);
  }
}

TEST(CallNoteTest, BytesThatWereCutOrChangedAreNoNoteOrAnotherOne) {
  std::string bytes;
  EncodeNote(Notes()[0], bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeNote(absl::string_view(bytes).substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(DecodeNote(bytes + "x").has_value());
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    std::string changed = bytes;
    changed[place] = static_cast<char>(~changed[place]);
    (void)DecodeNote(changed);  // Whatever it is, nothing outside of it is read.
  }
}

TEST(CallNoteTest, OtherLinesAreNoNotes) {
  for (const char* line : {"",
                           "nonsense",
                           "[]",
                           "{}",
                           "null",
                           "[1,2,3]",
                           R"(["+",1,2,3,4])",
                           R"(["+","t","r"])",
                           R"(["+","t","r","e"])",
                           R"(["+","t","r","e","5"])",
                           R"(["+","t","r","e",5.5])",
                           R"(["+","t","r","e",100000000000000000000])",
                           R"(["?","t","r"])",
                           R"([">","t","r"])",
                           R"([">","t","r",5])",
                           R"(["!","t","r","*"])",
                           R"(["","t","r"])",
                           R"(["-","t")",
                           R"(["#","generation"])",
                           "[[[[[[[["}) {
    EXPECT_FALSE(ParseNoteLine(line).has_value()) << line;
  }
}

}  // namespace
}  // namespace atomemo::journal
