#include "bridge/definition/source_positions.h"

#include <string>

#include "gtest/gtest.h"

namespace atomemo::definition {
namespace {

constexpr char kText[] = R"({
  "name": "ä", "x": {"a": [1, "]}", {"b": 2}]},
  "tools": [
    {"k\u0065y": "\"{", "z": 3}
  ]
})";

std::string PositionAt(Path path) {
  const SourcePosition position = FindPositions(kText, {std::move(path)}).at(0);
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

TEST(SourcePositions, AMemberIsWhereItsNameStands) {
  EXPECT_EQ(PositionAt({}), "1:1");
  EXPECT_EQ(PositionAt({"name"}), "2:3");
  EXPECT_EQ(PositionAt({"x"}), "2:16");
  EXPECT_EQ(PositionAt({"tools", std::size_t{0}, "key"}), "4:6");
  EXPECT_EQ(PositionAt({"tools", std::size_t{0}, "z"}), "4:25");
}

TEST(SourcePositions, AnElementIsWhereItStarts) {
  EXPECT_EQ(PositionAt({"x", "a", std::size_t{2}}), "2:37");
  EXPECT_EQ(PositionAt({"tools", std::size_t{0}}), "4:5");
}

TEST(SourcePositions, WhatIsMissingIsWhereItsSurroundingsStart) {
  EXPECT_EQ(PositionAt({"description", "en_US"}), "1:1");
  EXPECT_EQ(PositionAt({"tools", std::size_t{0}, "name"}), "4:5");
  EXPECT_EQ(PositionAt({"name", "en_US"}), "2:3");
}

TEST(SourcePositions, OfSeveralMembersOfANameTheLastIsMeant) {
  EXPECT_EQ(FindPositions(R"({"a": 1, "a": 2})", {{"a"}}).at(0).column, 10u);
}

TEST(SourcePositions, AreGivenInTheOrderOfThePaths) {
  const auto positions = FindPositions(kText, {{"tools"}, {"name"}});
  EXPECT_EQ(positions.at(0).line, 3u);
  EXPECT_EQ(positions.at(1).line, 2u);
}

TEST(SourcePositions, ColumnsCountCharacters) {
  EXPECT_EQ(PositionOf("äöü!", 6).column, 4u);
  EXPECT_EQ(PositionOf("a\nb", 99).line, 2u);
}

}  // namespace
}  // namespace atomemo::definition
