#include "bridge/definition/violations.h"

#include "gtest/gtest.h"

namespace atomemo::definition {
namespace {

TEST(FormatPath, ReadsLikeJavaScript) {
  EXPECT_EQ(FormatPath({}), "");
  EXPECT_EQ(FormatPath({"tools", std::size_t{0}, "parameters", std::size_t{2}, "ui", "component"}),
            "tools[0].parameters[2].ui.component");
  EXPECT_EQ(FormatPath({"display_name", "x y"}), "display_name[\"x y\"]");
  EXPECT_EQ(FormatPath({"\x1b[2J"}), "[\"\\u001b[2J\"]");
}

TEST(ViolationSink, KeepsThePlaceOfEachViolation) {
  ViolationSink sink;
  {
    const ViolationSink::Step list(sink, absl::string_view("tools"));
    const ViolationSink::Step element(sink, 3);
    sink.Error("wrong");
  }
  sink.Warn("odd");
  EXPECT_EQ(FormatPath(sink.TakeErrors().at(0).path), "tools[3]");
  EXPECT_EQ(FormatPath(sink.TakeWarnings().at(0).path), "");
}

TEST(ViolationSink, IsBounded) {
  ViolationSink sink;
  for (std::size_t i = 0; i < 3 * kMaxViolations; ++i) sink.Error("wrong");
  EXPECT_FALSE(sink.wants_errors());
  const auto errors = sink.TakeErrors();
  EXPECT_EQ(errors.size(), kMaxViolations + 1);
  EXPECT_EQ(errors.back().message, "there are more than these 1000");
}

}  // namespace
}  // namespace atomemo::definition
