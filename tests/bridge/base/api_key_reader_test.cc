#include "bridge/base/api_key_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/io_thread.h"

namespace atomemo::base {
namespace {

using ::testing::HasSubstr;
using Key = absl::StatusOr<std::string>;

class ApiKeyReaderTest : public ::testing::Test {
 protected:
  ~ApiKeyReaderTest() override {
    io_.Run([this] { reader_.reset(); });
    // Lets go of who still reads from a pipe.
    const int fd = open(path_.c_str(), O_RDWR | O_NONBLOCK);
    std::remove(path_.c_str());
    if (fd >= 0) close(fd);
  }

  void Make(ApiKeySource::Options options, absl::Duration timeout = absl::Seconds(60)) {
    reader_ = std::make_unique<ApiKeyReader>(io_.scheduler(), std::move(options), timeout);
  }
  std::future<Key> Read() {
    const auto result = std::make_shared<std::promise<Key>>();
    io_.Run([&] { reader_->Read([result](Key key) { result->set_value(std::move(key)); }); });
    return result->get_future();
  }

  const std::string path_ =
      ::testing::TempDir() + "api_key_reader_test." + std::to_string(getpid());
  fakes::IoThread io_;
  std::unique_ptr<ApiKeyReader> reader_;
};

TEST_F(ApiKeyReaderTest, ReadsTheFileAgainEveryTime) {
  Make({path_, "", ""});
  for (const char* key : {"first", "second"}) {
    std::ofstream(path_, std::ios::trunc) << key;
    EXPECT_EQ(Read().get().value(), key);
  }
}

TEST_F(ApiKeyReaderTest, WithoutAFileTheAnswerComesAtOnce) {
  Make({"", "", "k1"});
  bool heard = false;
  io_.Run([&] {
    reader_->Read([&](const Key& key) { heard = key.ok() && *key == "k1"; });
    EXPECT_TRUE(heard);
  });
}

TEST_F(ApiKeyReaderTest, AFileThatHangsEndsInAnErrorAndHoldsUpNothing) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);  // nobody writes to it
  Make({"", path_, ""}, absl::Milliseconds(20));
  std::vector<std::future<Key>> reads;
  for (int i = 0; i < 40; ++i) reads.push_back(Read());
  for (std::future<Key>& read : reads) {
    EXPECT_THAT(std::string(read.get().status().message()), HasSubstr("20ms"));
  }
}

}  // namespace
}  // namespace atomemo::base
