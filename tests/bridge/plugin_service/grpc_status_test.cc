#include "bridge/plugin_service/grpc_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "bridge/router/ports.h"
#include "tests/bridge/plugin_service/rich_status.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::HasSubstr;
namespace pb = ::atomemo::plugin::v1;

absl::Status InvalidWith(int violations, const std::string& message) {
  pb::DefinitionViolations list;
  for (int i = 0; i < violations; ++i) {
    auto& violation = *list.add_violations();
    violation.set_path(absl::StrCat("tools[", i, "].name"));
    violation.set_message(message);
  }
  absl::Status status = absl::InvalidArgumentError("the plugin is not valid");
  router::SetViolations(status, list);
  return status;
}

TEST(GrpcStatusTest, CodesAndMessagesStayTheSame) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  const grpc::Status status = ToGrpcStatus(absl::AlreadyExistsError("twice"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(status.error_message(), "twice");
  EXPECT_EQ(status.error_details(), "");
}

TEST(GrpcStatusTest, ViolationsStandInDetailsAndTheFirstInTheMessage) {
  const grpc::Status status = ToGrpcStatus(InvalidWith(5, "must be a string"));
  EXPECT_EQ(status.error_message(),
            "the plugin is not valid: tools[0].name: must be a string; "
            "tools[1].name: must be a string; tools[2].name: must be a string; and 2 more");
  std::string message;
  const auto detail = RichDetail<pb::DefinitionViolations>(status, &message);
  EXPECT_EQ(message, status.error_message());
  ASSERT_EQ(detail.violations_size(), 5);
  EXPECT_EQ(detail.violations(4).path(), "tools[4].name");
}

TEST(GrpcStatusTest, HubErrorsStandInDetails) {
  absl::Status status = absl::AbortedError("the hub refused");
  pb::HubError error;
  error.set_code("not_found");
  error.mutable_error()->set_json(R"({"code":"not_found"})");
  router::SetHubError(status, error);
  const auto detail = RichDetail<pb::HubError>(ToGrpcStatus(status));
  EXPECT_EQ(detail.code(), "not_found");
  EXPECT_EQ(detail.error().json(), R"({"code":"not_found"})");
}

TEST(GrpcStatusTest, WhatDoesNotFitIntoTrailersIsCounted) {
  const grpc::Status status = ToGrpcStatus(InvalidWith(1000, "ü must be a string"));
  EXPECT_LT(status.error_details().size() * 4 / 3 + status.error_message().size() * 3, 7500u);
  const auto detail = RichDetail<pb::DefinitionViolations>(status);
  const int listed = detail.violations_size() - 1;
  EXPECT_GT(listed, 10);
  EXPECT_THAT(detail.violations(listed).message(), HasSubstr(absl::StrCat(1000 - listed, " more")));
}

TEST(GrpcStatusTest, LongMessagesAreCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "ü";
  const grpc::Status status = ToGrpcStatus(absl::InternalError(text));
  EXPECT_LT(status.error_message().size(), 600u);
  EXPECT_EQ(status.error_message().substr(status.error_message().size() - 5), "ü...");
}

}  // namespace
}  // namespace atomemo::plugin_service
