#include "bridge/base/api_key.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace atomemo::base {
namespace {

using ::testing::HasSubstr;

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

TEST(ApiKeySourceTest, WithoutAnyKeyTheErrorSaysWhatToSet) {
  EXPECT_THAT(std::string(ApiKeySource({}).Read().status().message()),
              HasSubstr("HUB_DEBUG_API_KEY"));
}

TEST(EnvTextTest, UnderstandsQuotesExportCommentsAndTheLastOfTwo) {
  const char text[] = "# NAME=no\nexport NAME = \"a b\" # why\nNAMES=x\n";
  EXPECT_EQ(FindInEnvText(text, "NAME").value(), "a b");
  EXPECT_EQ(FindInEnvText("N=1 # one\nN=2\r\n", "N").value(), "2");
  EXPECT_FALSE(FindInEnvText(text, "MISSING").ok());
}

}  // namespace
}  // namespace atomemo::base
