#include "atomemo/error.h"

#include <gtest/gtest.h>

namespace atomemo {
namespace {

TEST(ErrorTest, CarriesACodeOfThePluginsOwn) {
  const absl::Status status =
      Error("weather:unknown_city", "No city is named Atlantis.", {{"city", "Atlantis"}});
  const ErrorAnswer answer = DescribeError(status);
  EXPECT_EQ(answer.code, "weather:unknown_city");
  EXPECT_EQ(answer.name, "");
  EXPECT_EQ(answer.message, "No city is named Atlantis.");
  EXPECT_EQ(answer.details, (Json{{"city", "Atlantis"}}));
}

TEST(ErrorTest, OtherStatusesGetACodeByTheirKind) {
  EXPECT_EQ(ErrorCode(absl::InvalidArgumentError("x")), "sdk:invalid_parameter");
  EXPECT_EQ(ErrorCode(absl::DeadlineExceededError("x")), "sdk:timeout");
  EXPECT_EQ(ErrorCode(absl::UnimplementedError("x")), "sdk:method_not_supported");
  EXPECT_EQ(ErrorCode(absl::InternalError("x")), "sdk:exception");
  EXPECT_EQ(ErrorCode(absl::NotFoundError("x")), "sdk:not_found");
  EXPECT_EQ(ErrorCode(absl::PermissionDeniedError("x")), "sdk:permission_denied");
  EXPECT_EQ(DescribeError(absl::NotFoundError("x")).name, "NOT_FOUND");
  EXPECT_EQ(ErrorCode(absl::OkStatus()), "");
}

TEST(ErrorTest, CarriesAllThatTheHubCanBeTold) {
  const ErrorAnswer wanted{"a:b", "Kind", "what", {{"k", 1}}, "at f", {{"", "Inner", "why"}}};
  const absl::Status status = Error(wanted, absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(status.message(), "what");
  const ErrorAnswer answer = DescribeError(status);
  EXPECT_EQ(answer.code, "a:b");
  EXPECT_EQ(answer.name, "Kind");
  EXPECT_EQ(answer.details, wanted.details);
  EXPECT_EQ(answer.stack, "at f");
  ASSERT_EQ(answer.causes.size(), 1u);
  EXPECT_EQ(answer.causes[0].name, "Inner");
  EXPECT_EQ(answer.causes[0].message, "why");
}

TEST(ErrorTest, InvalidUtf8InDetailsDoesNotThrow) {
  EXPECT_EQ(ErrorCode(Error("a:b", "m", {{"k", "\xff"}})), "a:b");
}

}  // namespace
}  // namespace atomemo
