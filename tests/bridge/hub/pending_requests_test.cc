#include "bridge/hub/pending_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atomemo::hub {
namespace {

using ::testing::ElementsAre;

constexpr absl::Time kStart = absl::UnixEpoch();

TEST(PendingRequestsTest, ARequestIsRemovedOnce) {
  PendingRequests requests;
  requests.Add("q1", "1", kStart);
  EXPECT_TRUE(requests.Remove("q1"));
  EXPECT_FALSE(requests.Remove("q1"));
}

TEST(PendingRequestsTest, ARequestIsFoundByTheRefOfItsPush) {
  PendingRequests requests;
  requests.Add("q1", "1", kStart);
  requests.Add("q2", "2", kStart);
  EXPECT_EQ(requests.RemoveByRef("2"), "q2");
  EXPECT_EQ(requests.RemoveByRef("2"), "");
  EXPECT_THAT(requests.RemoveAll(), ElementsAre("q1"));
  EXPECT_TRUE(requests.empty());
}

TEST(PendingRequestsTest, WhatNobodyCanWaitForAnyMoreIsForgotten) {
  PendingRequests requests;
  requests.Add("old", "1", kStart);
  requests.Add("young", "2", kStart + absl::Minutes(30));
  requests.Add("new", "3", kStart + absl::Minutes(61));
  EXPECT_THAT(requests.RemoveAll(), ElementsAre("new", "young"));
}

}  // namespace
}  // namespace atomemo::hub
