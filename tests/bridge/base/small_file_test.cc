#include "bridge/base/small_file.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace atomemo::base {
namespace {

using ::testing::HasSubstr;

class SmallFileTest : public ::testing::Test {
 protected:
  ~SmallFileTest() override { std::remove(path_.c_str()); }
  void Write(const std::string& text) { std::ofstream(path_, std::ios::trunc) << text; }

  const std::string path_ = ::testing::TempDir() + "small_file_test." + std::to_string(getpid());
};

TEST_F(SmallFileTest, AFileIsReadOnlyToItsLimit) {
  EXPECT_THAT(std::string(ReadSmallFile("/dev/zero").status().message()), HasSubstr("larger"));
  Write(std::string(1 << 20, 'x'));
  EXPECT_EQ(ReadSmallFile(path_)->size(), 1u << 20);
}

TEST_F(SmallFileTest, AMissingFileIsNotFoundAndNamed) {
  const absl::Status status = ReadSmallFile(path_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
}

TEST(EnvTextTest, UnderstandsQuotesExportCommentsAndTheLastOfTwo) {
  const char text[] = "# NAME=no\nexport NAME = \"a b\" # why\nNAMES=x\n";
  EXPECT_EQ(FindInEnvText(text, "NAME").value(), "a b");
  EXPECT_EQ(FindInEnvText("N=1 # one\nN=2\r\n", "N").value(), "2");
  EXPECT_FALSE(FindInEnvText(text, "MISSING").ok());
}

}  // namespace
}  // namespace atomemo::base
