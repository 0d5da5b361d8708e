#include "bridge/http/curl.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "bridge/http/client.h"

namespace atomemo::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

bool IsLoaded(const char* library) { return dlopen(library, RTLD_NOW | RTLD_NOLOAD) != nullptr; }

TEST(CurlTest, IsLoadedByTheFirstRequest) {
  EXPECT_FALSE(IsLoaded("libcurl.so.4"));
  EXPECT_EQ(Fetch({"GET", "gopher://127.0.0.1/"}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(IsLoaded("libcurl.so.4"));
}

TEST(CurlTest, SaysWhatToInstallWhereItIsMissing) {
  const absl::Status status = LoadCurl("libmissing.so.4").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("libcurl4"), HasSubstr("libmissing")));
}

TEST(CurlTest, TakesNoOtherLibraryForIt) {
  const absl::Status status = LoadCurl("libc.so.6").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("curl_global_init"));
}

}  // namespace
}  // namespace atomemo::http
