#include "bridge/plugin_service/definition_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace atomemo::plugin_service {
namespace {

using ::testing::HasSubstr;

TEST(DefinitionQueueTest, SoManyDefinitionsHaveAPlace) {
  DefinitionQueue queue({2, 1000});
  const auto first = queue.Take(1);
  auto second = queue.Take(1);
  ASSERT_TRUE(first.ok() && second.ok());
  const absl::Status refused = queue.Take(1).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("2, set by --max-waiting-definitions"));
  second->reset();
  EXPECT_TRUE(queue.Take(1).ok());
}

TEST(DefinitionQueueTest, SoManyBytesHaveAPlace) {
  DefinitionQueue queue({1000, 100});
  const auto first = queue.Take(60);
  const absl::Status refused = queue.Take(60).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("100, set by --max-waiting-definition-bytes"));
  EXPECT_TRUE(queue.Take(40).ok());
}

TEST(DefinitionQueueTest, OneThatIsTooLargeByItselfHasToBeAlone) {
  DefinitionQueue queue({1000, 100});
  auto small = queue.Take(1);
  EXPECT_FALSE(queue.Take(1000).ok());
  small->reset();
  EXPECT_TRUE(queue.Take(1000).ok());
}

TEST(DefinitionQueueTest, WhatIsKeptTakesRoomUntilItIsGivenBack) {
  DefinitionQueue queue({1000, 100});
  DefinitionQueue::Place kept = queue.Keep(200);
  EXPECT_FALSE(queue.Take(1).ok());
  kept = queue.Keep(50);
  EXPECT_TRUE(queue.Take(1).ok());
}

TEST(DefinitionQueueTest, APlaceMayOutliveTheQueue) {
  DefinitionQueue::Place place;
  {
    DefinitionQueue queue({1, 1});
    place = *queue.Take(1);
  }
  place.reset();
}

}  // namespace
}  // namespace atomemo::plugin_service
