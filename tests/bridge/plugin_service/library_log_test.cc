#include "bridge/plugin_service/library_log.h"

#include <gmock/gmock.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "tests/fakes/captured_log.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

TEST(LibraryLogTest, WhatGrpcSaysIsALineOfTheLogWithoutSecrets) {
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // as grpc_init does
  LogForLibraries();
  fakes::CapturedLog log;
  gpr_log(GPR_ERROR, "lost\nhttp://host/path?key=secret");
  EXPECT_THAT(log.Take(), AllOf(ContainsRegex("^20[^\n]*Z error +a library says library=grpc "
                                              "text=\"lost.nhttp://host/path\"[^\n]*\n$"),
                                HasSubstr("file=library_log_test.cc")));
}

TEST(LibraryLogTest, WhatProtobufSaysIsALineOfTheLog) {
  LogForLibraries();
  fakes::CapturedLog log;
  atomemo::plugin::v1::CallFailure failure;
  EXPECT_FALSE(failure.ParseFromString("\x0a\x01\xff"));  // its request_id is no UTF-8
  EXPECT_THAT(log.Take(),
              ContainsRegex("Z error +a library says library=protobuf text=[^\n]*UTF-8"));
}

}  // namespace
}  // namespace atomemo::plugin_service
