#include "bridge/base/memory_limit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace atomemo::base {
namespace {

class MemoryLimitTest : public ::testing::Test {
 protected:
  MemoryLimitTest() {
    std::string name = (std::filesystem::temp_directory_path() / "cgroup-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  ~MemoryLimitTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }

  std::string root_;
};

TEST_F(MemoryLimitTest, IsNothingWhereNobodySetsOne) {
  EXPECT_EQ(CgroupMemoryLimit(root_), std::nullopt);
  Write("/proc/self/cgroup", "0::/a.slice");
  Write("/sys/fs/cgroup/a.slice/memory.max", "max");
  EXPECT_EQ(CgroupMemoryLimit(root_), std::nullopt);
}

TEST_F(MemoryLimitTest, IsTheLeastOfAllGroupsAbove) {
  Write("/proc/self/cgroup", "0::/a.slice/b.scope");
  Write("/sys/fs/cgroup/a.slice/b.scope/memory.max", "536870912");
  EXPECT_EQ(CgroupMemoryLimit(root_), 536870912u);
  Write("/sys/fs/cgroup/a.slice/memory.max", "268435456");
  EXPECT_EQ(CgroupMemoryLimit(root_), 268435456u);
}

TEST_F(MemoryLimitTest, IsReadInsideAContainer) {
  Write("/proc/self/cgroup", "0::/");
  Write("/sys/fs/cgroup/memory.max", "134217728");
  EXPECT_EQ(CgroupMemoryLimit(root_), 134217728u);
}

TEST_F(MemoryLimitTest, IsReadInVersionOne) {
  Write("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/abc");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(CgroupMemoryLimit(root_), std::nullopt);
  Write("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "67108864");
  EXPECT_EQ(CgroupMemoryLimit(root_), 67108864u);
}

TEST_F(MemoryLimitTest, GarbageIsNoLimit) {
  Write("/proc/self/cgroup", "garbage\n::\n0::relative");
  Write("/sys/fs/cgroup/memory.max", "-5 many");
  EXPECT_EQ(CgroupMemoryLimit(root_), std::nullopt);
}

}  // namespace
}  // namespace atomemo::base
