#include "bridge/plugin_service/socket_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/bridge/plugin_service/service_fixture.h"
#include "tests/bridge/plugin_service/unix_address.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::HasSubstr;

int ModeOf(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 0777) : -1;
}

bool Exists(const std::string& path) { return ModeOf(path) != -1; }

// Leaves a socket file behind that nobody answers.
void LeaveStaleSocket(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const UnixAddress address(path);
  ASSERT_EQ(bind(fd, address.get(), UnixAddress::size()), 0);
  close(fd);
}

class SocketFileTest : public ::testing::Test {
 protected:
  fakes::TemporaryFolder folder_;
};

TEST_F(SocketFileTest, FolderAndSocketAreNotForEverybody) {
  const auto file = SocketFile::Listen({folder_ / "a/b/x.sock", ""});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(ModeOf(folder_ / "a/b"), 0700);
  EXPECT_EQ(ModeOf(folder_ / "a/b/x.sock"), 0660);
}

TEST_F(SocketFileTest, AGroupMayEnterTheFolder) {
  const auto file = SocketFile::Listen({folder_ / "a/x.sock", absl::StrCat(getgid())});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(ModeOf(folder_ / "a"), 0750);
  EXPECT_EQ(ModeOf(folder_ / "a/x.sock"), 0660);
}

TEST_F(SocketFileTest, AnUnknownGroupIsRefused) {
  const auto file = SocketFile::Listen({folder_ / "x.sock", "no-such-group"});
  EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("no-such-group"));
}

TEST_F(SocketFileTest, AnExistingFolderKeepsItsMode) {
  ASSERT_EQ(mkdir((folder_ / "a").c_str(), 0755), 0);
  ASSERT_TRUE(SocketFile::Listen({folder_ / "a/x.sock", ""}).ok());
  EXPECT_EQ(ModeOf(folder_ / "a"), 0755);
}

TEST_F(SocketFileTest, AnOverlongPathIsRefusedWithTheLimit) {
  const auto file = SocketFile::Listen({folder_ / std::string(100, 'x'), ""});
  EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("at most 107"));
}

TEST_F(SocketFileTest, AStaleSocketIsReplaced) {
  LeaveStaleSocket(folder_ / "x.sock");
  EXPECT_TRUE(SocketFile::Listen({folder_ / "x.sock", ""}).ok());
}

TEST_F(SocketFileTest, ALiveSocketIsNot) {
  const auto first = SocketFile::Listen({folder_ / "x.sock", ""});
  ASSERT_TRUE(first.ok());
  const auto second = SocketFile::Listen({folder_ / "x.sock", ""});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(second.status().message(), "another bridge is listening on " + (folder_ / "x.sock"));
  EXPECT_EQ((*first)->Check(), SocketFile::State::kOurs);
}

TEST_F(SocketFileTest, WhatIsNotASocketIsNeverRemoved) {
  std::ofstream(folder_ / "x.sock") << "precious";
  const auto file = SocketFile::Listen({folder_ / "x.sock", ""});
  EXPECT_EQ(file.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(Exists(folder_ / "x.sock"));
}

TEST_F(SocketFileTest, TheFileGoesWithTheSocketUnlessItIsAnothers) {
  auto first = SocketFile::Listen({folder_ / "x.sock", ""});
  ASSERT_TRUE(first.ok());
  first->reset();
  EXPECT_FALSE(Exists(folder_ / "x.sock"));

  auto old = SocketFile::Listen({folder_ / "x.sock", ""});
  ASSERT_TRUE(old.ok());
  unlink((folder_ / "x.sock").c_str());
  EXPECT_EQ((*old)->Check(), SocketFile::State::kMissing);
  const auto successor = SocketFile::Listen({folder_ / "x.sock", ""});
  ASSERT_TRUE(successor.ok());
  EXPECT_EQ((*old)->Check(), SocketFile::State::kForeign);
  old->reset();
  EXPECT_EQ((*successor)->Check(), SocketFile::State::kOurs);
}

}  // namespace
}  // namespace atomemo::plugin_service
