#include "bridge/devhub/frame_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"

namespace atomemo::devhub {
namespace {

using ::testing::HasSubstr;

// An answer with `data`, which is JSON text or not.
std::string Answer(const std::string& data) {
  return absl::StrCat(R"(["1","2","debug_plugin:p","invoke_tool_response",{"request_id":"r",)",
                      R"("data":)", data, "}]");
}

// Every verdict here was seen at a stock Phoenix 1.7.24 with Bandit 1.11 and Jason 1.4.5.

TEST(ReadHubFrameTest, TakesTheJsonThatAStockHubTakes) {
  for (const std::string& data : {
           std::string("100000000000000000000"),
           std::string(1024, '1'),
           "-" + std::string(1023, '1'),
           std::string("1e308"),
           std::string("-1.7976931348623157e308"),
           std::string("1e-400"),
           std::string("0e999"),
           std::string("1e-99999999999999999999"),
           "1." + std::string(5000, '1'),
           "1e" + std::string(2000, '0') + "1",
           std::string("-0"),
           std::string("-0.0"),
           std::string("1E+2"),
           std::string(R"("\ud83d\ude00")"),
           std::string(R"("\u0000\/\b")"),
           std::string("\"\x7f\xef\xbf\xbf\xef\xbb\xbf\""),
           std::string(100000, '[') + std::string(100000, ']'),
           std::string(R"({"a":1,"a":2})"),
           std::string("\t\n\r 1"),
           std::string("[ ]"),
           std::string("{ }"),
           std::string(R"([{"a":[1,{}],"b":{"c":null}},[],true,false])"),
       }) {
    const absl::StatusOr<hub::PhoenixFrame> frame = ReadHubFrame(Answer(data));
    ASSERT_TRUE(frame.ok()) << data.substr(0, 80) << ": " << frame.status();
    EXPECT_EQ(frame->payload, absl::StrCat(R"({"request_id":"r","data":)", data, "}"));
  }
}

TEST(ReadHubFrameTest, RefusesWhatAStockHubClosesFor) {
  for (const std::string& data : {
           std::string(1025, '1'),
           "-" + std::string(1024, '1'),
           std::string("1e400"),
           std::string("-1.5e400"),
           std::string("1e99999999999999999999"),
           std::string("01"),
           std::string("1."),
           std::string(".5"),
           std::string("+1"),
           std::string("-"),
           std::string("1e"),
           std::string("1e+"),
           std::string("NaN"),
           std::string("nul"),
           std::string(R"("\ud800")"),
           std::string(R"("\udc00")"),
           std::string(R"("\ud800x")"),
           std::string(R"("\ud800\n")"),
           std::string(R"("\ud800\ud800")"),
           std::string(R"("\ude00\ud83d")"),
           std::string(R"("\u12g4")"),
           std::string(R"("\x")"),
           std::string("\"\x01\""),
           std::string("\""),
           std::string("[1,]"),
           std::string("[1 2]"),
           std::string("[1}"),
           std::string(R"({"a":1,})"),
           std::string(R"({"a"})"),
           std::string(R"({a:1})"),
           std::string("{1:1}"),
           std::string("{]"),
           std::string(""),
       }) {
    EXPECT_FALSE(ReadHubFrame(Answer(data)).ok()) << data.substr(0, 80);
  }
}

TEST(ReadHubFrameTest, AFrameIsAnArrayOfAtLeastFiveElements) {
  for (const char* text :
       {"{}", "[]", "7", "\"x\"", R"(["1","1","t","e"])", "nonsense", "", " ", "[",
        R"(["1","1","t","e",{}]x)", "\xef\xbb\xbf[null,null,\"t\",\"e\",{}]"}) {
    EXPECT_FALSE(ReadHubFrame(text).ok()) << text;
  }
  // What follows the fifth is ignored, but has to be JSON.
  EXPECT_EQ(ReadHubFrame(R"(["1","2","t","e",{"a":1},7,[]])")->payload, R"({"a":1})");
  EXPECT_FALSE(ReadHubFrame(R"(["1","2","t","e",{},x])").ok());
}

TEST(ReadHubFrameTest, ReadsRefsAndNames) {
  const absl::StatusOr<hub::PhoenixFrame> frame = ReadHubFrame(
      " [ null , \"5\" ,\"ph\\u006f\\u00e9\\u20ac\\ud83d\\ude00\" ,\"a\\\"\\\\\\n\\/b\", 1.50 ] ");
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(frame->join_ref, std::nullopt);
  EXPECT_EQ(frame->ref, "5");
  EXPECT_EQ(frame->topic, "pho\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(frame->event, "a\"\\\n/b");
  EXPECT_EQ(frame->payload, "1.50");
}

TEST(ReadHubFrameTest, TheReasonSaysWhere) {
  EXPECT_THAT(std::string(ReadHubFrame(R"(["1","1","t","e",{"a":01}])").status().message()),
              HasSubstr("byte 23"));
  EXPECT_THAT(std::string(ReadHubFrame(R"([1,"1","t","e",{}])").status().message()),
              HasSubstr("element 0"));
  EXPECT_THAT(std::string(ReadHubFrame(R"(["1","1",null,"e",{}])").status().message()),
              HasSubstr("null"));
}

TEST(MaxTextBytesTest, LeavesRoomForTheHeader) {
  EXPECT_EQ(MaxTextBytes(8'000'000), 7'999'986u);
  EXPECT_EQ(MaxTextBytes(65'535 + 14), 65'535u);
  EXPECT_EQ(MaxTextBytes(65'536 + 14), 65'536u);
  EXPECT_EQ(MaxTextBytes(65'535 + 8), 65'535u);
  EXPECT_EQ(MaxTextBytes(65'534 + 8), 65'534u);
  EXPECT_EQ(MaxTextBytes(126 + 8), 126u);
  EXPECT_EQ(MaxTextBytes(125 + 8), 125u);
  EXPECT_EQ(MaxTextBytes(125 + 6), 125u);
  EXPECT_EQ(MaxTextBytes(6), 0u);
  EXPECT_EQ(MaxTextBytes(5), 0u);
}

}  // namespace
}  // namespace atomemo::devhub
