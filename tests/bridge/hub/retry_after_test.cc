#include "bridge/hub/retry_after.h"

#include <gtest/gtest.h>

namespace atomemo::hub {
namespace {

const absl::Time kNow =
    absl::FromCivil(absl::CivilSecond(2026, 11, 28, 12, 0, 0), absl::UTCTimeZone());

TEST(RetryAfterTest, UnderstandsSecondsAndDates) {
  EXPECT_EQ(ParseRetryAfter("30", kNow), absl::Seconds(30));
  EXPECT_EQ(ParseRetryAfter(" 0 ", kNow), absl::ZeroDuration());
  EXPECT_EQ(ParseRetryAfter("Sat, 28 Nov 2026 12:00:45 GMT", kNow), absl::Seconds(45));
  EXPECT_EQ(ParseRetryAfter("Sat, 28 Nov 2026 11:00:00 GMT", kNow), absl::ZeroDuration());
}

TEST(RetryAfterTest, IsBounded) {
  for (const char* text :
       {"301", "86400", "99999999999999999999999999999999999", "Sat, 28 Nov 2099 12:00:00 GMT"}) {
    EXPECT_EQ(ParseRetryAfter(text, kNow), absl::Minutes(5)) << text;
  }
}

TEST(RetryAfterTest, AnythingElseSaysNothing) {
  for (const char* text : {"", "soon", "-5", "1.5", "30s", "Sat, 28 Nov 2026"}) {
    EXPECT_EQ(ParseRetryAfter(text, kNow), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace atomemo::hub
