#include "bridge/devhub/file_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <string>

namespace atomemo::devhub {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::StartsWith;

class FileStoreTest : public ::testing::Test {
 protected:
  FileStoreTest() : folder_(fs::path(::testing::TempDir()) / *FileStore::NewKey("", "")) {}
  ~FileStoreTest() override { fs::remove_all(folder_); }

  FileStore Open(std::size_t max_file_bytes = 1000) {
    return *FileStore::Open(folder_ / "files", max_file_bytes);
  }

  const fs::path folder_;
};

TEST_F(FileStoreTest, GivesBackTheBytesThatWerePut) {
  FileStore store = Open();
  const std::string bytes("\0\x01\xff binary", 10);
  ASSERT_TRUE(store.Put("a/b.bin", bytes).ok());
  EXPECT_EQ(*store.Get("a/b.bin"), bytes);
}

TEST_F(FileStoreTest, FilesOutliveTheStore) {
  ASSERT_TRUE(Open().Put("k", "v").ok());
  EXPECT_EQ(*Open().Get("k"), "v");
}

TEST_F(FileStoreTest, PutReplacesTheWholeFile) {
  FileStore store = Open();
  ASSERT_TRUE(store.Put("k", "a long first text").ok());
  ASSERT_TRUE(store.Put("k", "short").ok());
  EXPECT_EQ(*store.Get("k"), "short");
}

TEST_F(FileStoreTest, AnUnknownKeyIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(Open().Get("nothing").status()));
}

TEST_F(FileStoreTest, ATooLargeFileIsRefusedAndLeavesNothing) {
  FileStore store = Open(4);
  EXPECT_TRUE(absl::IsOutOfRange(store.Put("k", "12345")));
  EXPECT_TRUE(absl::IsNotFound(store.Get("k").status()));
}

TEST_F(FileStoreTest, AFailedPutLeavesNoPartialFile) {
  FileStore store = Open();
  ASSERT_TRUE(store.Put("k/file", "x").ok());
  EXPECT_FALSE(store.Put("k", "a folder stands here").ok());
  const fs::directory_iterator partial(folder_ / "files" / ".partial");
  EXPECT_EQ(std::distance(fs::begin(partial), fs::end(partial)), 0);
}

TEST_F(FileStoreTest, NoKeyLeadsOutOfTheFolder) {
  FileStore store = Open();
  for (const char* key : {"../x", "a/../../x", "/etc/passwd", "a//b", "", ".", "..", ".partial/x",
                          "a/.hidden", "a\\b", "a%2fb", "a b", "a/"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(store.Put(key, "x"))) << key;
    EXPECT_TRUE(absl::IsInvalidArgument(store.Get(key).status())) << key;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(store.Put(std::string(600, 'a'), "x")));
}

TEST_F(FileStoreTest, NewKeysCarryPrefixAndExtension) {
  const std::string key = *FileStore::NewKey("/reports/2024/", ".pdf");
  EXPECT_THAT(key, StartsWith("reports/2024/"));
  EXPECT_THAT(key, EndsWith(".pdf"));
  EXPECT_TRUE(FileStore::IsValidKey(key));
  EXPECT_NE(*FileStore::NewKey("", ""), *FileStore::NewKey("", ""));
}

TEST_F(FileStoreTest, NewKeysRefuseAPrefixOrExtensionThatLeadsElsewhere) {
  EXPECT_FALSE(FileStore::NewKey("../up", "txt").ok());
  EXPECT_FALSE(FileStore::NewKey("a/../b", "txt").ok());
  EXPECT_FALSE(FileStore::NewKey("a", "txt/../../x").ok());
  EXPECT_FALSE(FileStore::NewKey("a", "t xt").ok());
}

TEST_F(FileStoreTest, AFolderThatCannotBeMadeIsNamed) {
  const absl::Status status = FileStore::Open("/dev/null/files", 10).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("/dev/null/files"));
}

}  // namespace
}  // namespace atomemo::devhub
