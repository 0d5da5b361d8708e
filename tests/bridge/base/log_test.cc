#include "bridge/base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace atomemo::base {
namespace {

TEST(LogTest, ATextLineHasItsFieldsBehindTheEvent) {
  EXPECT_EQ(FormatLogText("hub connected", {{"url", "ws://h"}, {"attempt", 3}}),
            "hub connected url=ws://h attempt=3");
}

TEST(LogTest, AValueCannotForgeAnotherFieldOrLine) {
  EXPECT_EQ(FormatLogText("e", {{"k", "a b=c\nx"}}), R"(e k="a b=c\nx")");
}

TEST(LogTest, AJsonLineIsOneObject) {
  const std::string line = FormatLogJson(LogLevel::kWarning, "2026-01-01T00:00:00.000Z",
                                         "call failed", {{"reason", "line\nbreak \"quoted\""}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const nlohmann::json parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["event"], "call failed");
  EXPECT_EQ(parsed["level"], "warning");
  EXPECT_EQ(parsed["reason"], "line\nbreak \"quoted\"");
}

TEST(LogTest, InvalidUtf8DoesNotBreakAJsonLine) {
  EXPECT_TRUE(
      nlohmann::json::accept(FormatLogJson(LogLevel::kInfo, "t", "e", {{"k", "\xff\xfe"}})));
}

}  // namespace
}  // namespace atomemo::base
