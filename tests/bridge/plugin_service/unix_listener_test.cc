#include "bridge/plugin_service/unix_listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/bridge/plugin_service/service_fixture.h"
#include "tests/bridge/plugin_service/unix_address.h"

namespace atomemo::plugin_service {
namespace {

// A listener in a process that may have few descriptors, and greets every connection with a byte.
class UnixListenerTest : public ::testing::Test {
 protected:
  static constexpr rlim_t kLimit = 200;

  UnixListenerTest() {
    getrlimit(RLIMIT_NOFILE, &usual_limit_);
    rlimit limit = usual_limit_;
    limit.rlim_cur = kLimit;
    setrlimit(RLIMIT_NOFILE, &limit);
    SocketFileOptions options;
    options.path = path_;
    listener_ = std::make_unique<UnixListener>(options, absl::Seconds(1), [this](int fd, auto) {
      absl::MutexLock lock(&mutex_);
      accepted_.push_back(fd);
      (void)!write(fd, "!", 1);
    });
  }

  ~UnixListenerTest() override {
    CloseAll();
    listener_->Stop();
    setrlimit(RLIMIT_NOFILE, &usual_limit_);
  }

  // Whether the listener takes one more connection, which then stays.
  bool Connect() {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    clients_.push_back(fd);
    const UnixAddress address(path_);
    if (connect(fd, address.get(), UnixAddress::size()) != 0) return false;
    char greeting = 0;
    return read(fd, &greeting, 1) == 1;
  }

  void CloseAll() {
    for (const int fd : clients_) close(fd);
    clients_.clear();
    absl::MutexLock lock(&mutex_);
    for (const int fd : accepted_) close(fd);
    accepted_.clear();
  }

  rlimit usual_limit_ = {};
  const fakes::TemporaryFolder folder_;
  const std::string path_ = folder_ / "bridge.sock";
  std::unique_ptr<UnixListener> listener_;
  std::vector<int> clients_;
  absl::Mutex mutex_;
  std::vector<int> accepted_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(UnixListenerTest, LeavesDescriptorsForAllElse) {
  ASSERT_TRUE(listener_->Start().ok());
  rlim_t connections = 0;
  while (connections < kLimit && Connect()) ++connections;
  EXPECT_GT(connections, 50u);
  for (int i = 0; i < 16; ++i) {
    const int fd = open("/dev/null", O_RDONLY);
    EXPECT_GE(fd, 0) << std::strerror(errno);
    clients_.push_back(fd);
  }
}

TEST_F(UnixListenerTest, TakesConnectionsAgainWhenThereAreDescriptorsAgain) {
  ASSERT_TRUE(listener_->Start().ok());
  while (clients_.size() < kLimit && Connect()) {
  }
  CloseAll();
  EXPECT_TRUE(Connect());
}

}  // namespace
}  // namespace atomemo::plugin_service
