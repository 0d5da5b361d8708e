#include "bridge/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/fakes/captured_log.h"

namespace atomemo::base {
namespace {

using ::testing::MatchesRegex;

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
  EXPECT_EQ(parsed["message"], "call failed");
  EXPECT_EQ(parsed["level"], "warning");
  EXPECT_EQ(parsed["reason"], "line\nbreak \"quoted\"");
}

TEST(LogTest, NoFieldTakesThePlaceOfWhatEveryJsonLineHas) {
  const nlohmann::json parsed = nlohmann::json::parse(
      FormatLogJson(LogLevel::kInfo, "2026-01-01T00:00:00.000Z", "call answered",
                    {{"event", "invoke_tool"}, {"message", "m"}, {"level", 3}, {"time", "t"}}));
  EXPECT_EQ(parsed["message"], "call answered");
  EXPECT_EQ(parsed["event"], "invoke_tool");
  EXPECT_EQ(parsed["level"], "info");
  EXPECT_EQ(parsed["time"], "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(parsed["field.message"], "m");
  EXPECT_EQ(parsed["field.level"], 3);
  EXPECT_EQ(parsed["field.time"], "t");
}

TEST(LogTest, FiguresAreNumbersInJson) {
  const nlohmann::json parsed =
      nlohmann::json::parse(FormatLogJson(LogLevel::kInfo, "t", "e",
                                          {{"count", std::size_t{18'000'000'000'000'000'000u}},
                                           {"offset", -3},
                                           {"share", 0.5},
                                           {"no_number", std::nan("")},
                                           {"proven", true},
                                           {"pid", std::optional<std::int32_t>(42)},
                                           {"nobody", std::optional<std::int32_t>()},
                                           {"digits", "7"}}));
  EXPECT_EQ(parsed["count"], 18'000'000'000'000'000'000u);
  EXPECT_EQ(parsed["offset"], -3);
  EXPECT_EQ(parsed["share"], 0.5);
  EXPECT_TRUE(parsed["no_number"].is_null());
  EXPECT_EQ(parsed["proven"], true);
  EXPECT_EQ(parsed["pid"], 42);
  EXPECT_TRUE(parsed["nobody"].is_null());
  EXPECT_EQ(parsed["digits"], "7");
}

TEST(LogTest, WhatHasNoValueIsADashInText) {
  EXPECT_EQ(FormatLogText("e", {{"pid", std::optional<std::int32_t>()}, {"proven", false}}),
            "e pid=- proven=false");
}

TEST(LogTest, AValueThatIsTooLongForALineIsCutBetweenCharacters) {
  EXPECT_EQ(FormatLogText("e", {{"k", std::string(5'000, 'x')}}),
            "e k=\"" + std::string(1'024, 'x') + "... (5000 bytes)\"");
  std::string umlauts = "a";
  while (umlauts.size() < 2'000) umlauts += "ä";
  const nlohmann::json parsed =
      nlohmann::json::parse(FormatLogJson(LogLevel::kInfo, "t", "e", {{"k", umlauts}}));
  EXPECT_EQ(parsed["k"], umlauts.substr(0, 1'023) + "... (2001 bytes)");
}

TEST(LogTest, ALineHasItsTimeAndLevel) {
  fakes::CapturedLog log;
  LogWarning("hub lost", {{"attempt", 2}});
  EXPECT_THAT(log.Take(), MatchesRegex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\."
                                       "[0-9]{3}Z warning hub lost attempt=2\n"));
}

TEST(LogTest, LinesOfOneThreadStayInOrder) {
  fakes::CapturedLog log;
  for (int i = 0; i < 1'000; ++i) LogInfo("line", {{"number", i}});
  const std::string text = log.Take();
  std::size_t position = 0;
  for (int i = 0; i < 1'000; ++i) {
    position = text.find(absl::StrCat("line number=", i, "\n"), position);
    ASSERT_NE(position, std::string::npos) << i;
  }
}

TEST(LogDeathTest, AProcessThatExitsLosesNoLine) {
  EXPECT_EXIT(
      {
        for (int i = 0; i < 1'000; ++i) LogInfo("line", {{"number", i}});
        exit(0);
      },
      testing::ExitedWithCode(0), "number=999\n");
}

TEST(LogTest, InvalidUtf8DoesNotBreakAJsonLine) {
  EXPECT_TRUE(
      nlohmann::json::accept(FormatLogJson(LogLevel::kInfo, "t", "e", {{"k", "\xff\xfe"}})));
}

}  // namespace
}  // namespace atomemo::base
