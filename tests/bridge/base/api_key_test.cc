#include "bridge/base/api_key.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace atomemo::base {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ApiKeyTest : public ::testing::Test {
 protected:
  ~ApiKeyTest() override { std::remove(path_.c_str()); }
  void Write(const std::string& text) { std::ofstream(path_, std::ios::trunc) << text; }

  const std::string path_ = ::testing::TempDir() + "api_key_test." + std::to_string(getpid());
};

TEST_F(ApiKeyTest, AKeyFileIsReadAgainEveryTime) {
  ApiKeySource source({path_, "", ""});
  Write("first\n");
  EXPECT_EQ(source.Read().value(), "first");
  Write("second\n");
  EXPECT_EQ(source.Read().value(), "second");
}

TEST_F(ApiKeyTest, TheEnvironmentFileWinsOverTheEnvironment) {
  Write("HUB_DEBUG_API_KEY=from-file\n");
  EXPECT_EQ(ApiKeySource({"", path_, "from-env"}).Read().value(), "from-file");
  Write("OTHER=1\n");
  EXPECT_EQ(ApiKeySource({"", path_, "from-env"}).Read().value(), "from-env");
}

TEST_F(ApiKeyTest, AMissingOrEmptyKeyFileIsNamed) {
  EXPECT_THAT(std::string(ApiKeySource({path_, "", "fallback"}).Read().status().message()),
              HasSubstr(path_));
  Write(" \n");
  EXPECT_THAT(std::string(ApiKeySource({path_, "", "fallback"}).Read().status().message()),
              HasSubstr("empty"));
}

// The three ways to give a key: the same text in each of them.
absl::StatusOr<std::string> FromFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
  return ApiKeySource({path, "", ""}).Read();
}
absl::StatusOr<std::string> FromEnvFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << "A=b\nHUB_DEBUG_API_KEY=" << text << "\n";
  return ApiKeySource({"", path, ""}).Read();
}
absl::StatusOr<std::string> FromEnvironment(const std::string& text) {
  return ApiKeySource({"", "", text}).Read();
}

TEST_F(ApiKeyTest, WhatEditorsShellsAndPeopleAddToAKeyIsUnderstood) {
  for (const char* text : {"k-1=", " k-1=\t", "k-1=\r\n", "k-1=\n\n", "\"k-1=\"", "'k-1='",
                           "HUB_DEBUG_API_KEY=k-1=", "export HUB_DEBUG_API_KEY = \"k-1=\"\n"}) {
    EXPECT_EQ(FromFile(path_, text).value(), "k-1=") << text;
    EXPECT_EQ(FromEnvironment(text).value(), "k-1=") << text;
    EXPECT_EQ(FromEnvFile(path_, text).value(), "k-1=") << text;
  }
  EXPECT_EQ(FromFile(path_, "\xef\xbb\xbfk-1=\r\n").value(), "k-1=");
  EXPECT_EQ(FromEnvironment("\xef\xbb\xbfk-1=").value(), "k-1=");
  EXPECT_EQ(FromFile(path_, "# mine\nHUB_WS_URL=ws://h\nHUB_DEBUG_API_KEY=k-1=\n").value(), "k-1=");
}

TEST_F(ApiKeyTest, AnEnvironmentFileMayBeginWithAByteOrderMark) {
  Write("\xef\xbb\xbfHUB_DEBUG_API_KEY=k1\r\n");
  EXPECT_EQ(ApiKeySource({"", path_, ""}).Read().value(), "k1");
}

TEST_F(ApiKeyTest, WhatCannotBeAKeyIsRefusedWithThePlaceAndTheReason) {
  const struct {
    const char* text;
    const char* reason;
  } kCases[] = {{"s3cret and more", "space"},
                {"\"s3cret", "quote"},
                {"s3c\"ret", "quote"},
                {"\xe2\x80\x9cs3cret\xe2\x80\x9d", "ASCII"},
                {"s3cret\x01", "character"},
                {"OTHER_KEY=s3cret", "NAME="},
                {"export OTHER_KEY=s3cret", "NAME="}};
  for (const auto& test : kCases) {
    const absl::Status in_file = FromFile(path_, test.text).status();
    EXPECT_THAT(std::string(in_file.message()),
                AllOf(HasSubstr(path_), HasSubstr(test.reason), Not(HasSubstr("s3c"))))
        << test.text;
    const absl::Status in_env_file = FromEnvFile(path_, test.text).status();
    EXPECT_THAT(std::string(in_env_file.message()),
                AllOf(HasSubstr(path_), HasSubstr(test.reason), Not(HasSubstr("s3c"))))
        << test.text;
    const absl::Status given = FromEnvironment(test.text).status();
    EXPECT_THAT(std::string(given.message()), AllOf(HasSubstr("HUB_DEBUG_API_KEY"),
                                                    HasSubstr(test.reason), Not(HasSubstr("s3c"))))
        << test.text;
  }
  EXPECT_THAT(std::string(FromFile(path_, "s3cret\nanother\n").status().message()),
              AllOf(HasSubstr("lines"), Not(HasSubstr("s3c"))));
  EXPECT_THAT(std::string(FromFile(path_, std::string("\xff\xfek\0001\0", 6)).status().message()),
              HasSubstr("UTF-16"));
}

TEST_F(ApiKeyTest, AKeyThatIsNoneIsNotReplacedByAnotherOne) {
  Write("HUB_DEBUG_API_KEY=two words\n");
  EXPECT_FALSE(ApiKeySource({"", path_, "good"}).Read().ok());
}

TEST_F(ApiKeyTest, OnlyARegularFileCanBeReadAgain) {
  EXPECT_THAT(std::string(ApiKeySource({::testing::TempDir(), "", ""}).Read().status().message()),
              HasSubstr("directory"));
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(std::string(ApiKeySource({path_, "", ""}).Read().status().message()),
              HasSubstr("regular file"));
}

TEST_F(ApiKeyTest, AnEnvironmentFileThatCannotBeReadIsNamedWhereTheKeyIsMissing) {
  EXPECT_THAT(std::string(ApiKeySource({"", ::testing::TempDir(), ""}).Read().status().message()),
              AllOf(HasSubstr(::testing::TempDir()), HasSubstr("HUB_DEBUG_API_KEY")));
}

TEST(ApiKeySourceTest, WithoutAnyKeyTheErrorSaysWhatToSet) {
  EXPECT_THAT(std::string(ApiKeySource({}).Read().status().message()),
              HasSubstr("HUB_DEBUG_API_KEY"));
}

}  // namespace
}  // namespace atomemo::base
