// DownloadFile and UploadFile over a real Unix socket and real HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "tests/bridge/plugin_service/service_fixture.h"
#include "tests/fakes/fake_storage.h"

namespace atomemo::plugin_service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Downloaded {
  grpc::Status status;
  pb::FileInfo info;
  std::string bytes;
};

class FileRpcsTest : public ServiceTest {
 protected:
  void Start() {
    port_.on_call_hub = [this](absl::string_view event) -> absl::StatusOr<std::string> {
      base::Json answer;
      if (event == "get_file_url") answer["url"] = download_url_;
      if (event == "get_upload_url") {
        answer["presigned_url"] = upload_url_;
        answer["res_key"] = "key-1";
      }
      return base::DumpJson(answer);
    };
    StartServer();
    session_ = OpenSession();
  }

  Downloaded Download(const pb::FileRef& file) {
    TestContext context;
    pb::DownloadFileRequest request;
    request.set_session_id(session_->id());
    *request.mutable_file_ref() = file;
    const auto reader = stub_->DownloadFile(&context, request);
    Downloaded downloaded;
    pb::DownloadFileResponse response;
    if (reader->Read(&response)) downloaded.info = response.info();
    while (reader->Read(&response)) {
      EXPECT_LE(response.chunk().size(), 64u * 1024);
      downloaded.bytes += response.chunk();
    }
    downloaded.status = reader->Finish();
    return downloaded;
  }

  pb::UploadHeader Header(std::int64_t size) const {
    pb::UploadHeader header;
    header.set_session_id(session_->id());
    header.set_filename("report.pdf");
    header.set_mime_type("application/pdf");
    header.set_key_prefix("reports/");
    header.set_size(size);
    return header;
  }

  grpc::Status Upload(const pb::UploadHeader& header, const std::vector<std::string>& chunks,
                      pb::UploadFileResponse* response) {
    TestContext context;
    const auto writer = stub_->UploadFile(&context, response);
    pb::UploadFileRequest request;
    *request.mutable_header() = header;
    writer->Write(request);
    for (const std::string& chunk : chunks) {
      request.set_chunk(chunk);
      if (!writer->Write(request)) break;
    }
    writer->WritesDone();
    return writer->Finish();
  }

  static pb::FileRef Stored() {
    pb::FileRef file;
    file.set_source(pb::FileRef::SOURCE_OSS);
    file.set_filename("a.bin");
    file.set_res_key("key");
    return file;
  }

  fakes::FakeStorage storage_;
  std::string download_url_ = storage_.Url("/a");
  std::string upload_url_ = storage_.Url("/stored");
  std::unique_ptr<TestSession> session_;
};

TEST_F(FileRpcsTest, AFileInMemoryNeedsNoHub) {
  Start();
  pb::FileRef file;
  file.set_source(pb::FileRef::SOURCE_MEM);
  file.set_content(std::string(200'000, 'm'));
  file.set_mime_type("text/plain");
  const Downloaded downloaded = Download(file);
  ASSERT_TRUE(downloaded.status.ok()) << downloaded.status.error_message();
  EXPECT_EQ(downloaded.bytes, file.content());
  EXPECT_EQ(downloaded.info.size(), 200'000);
  EXPECT_EQ(downloaded.info.mime_type(), "text/plain");
  EXPECT_THAT(port_.Snapshot().hub_calls, IsEmpty());
}

TEST_F(FileRpcsTest, AStoredFileComesFromWhereTheHubPoints) {
  Start();
  const std::string bytes(3'000'000, 'o');
  storage_.Put("/a", {bytes, "image/png"});
  const Downloaded downloaded = Download(Stored());
  ASSERT_TRUE(downloaded.status.ok()) << downloaded.status.error_message();
  EXPECT_EQ(downloaded.bytes, bytes);
  EXPECT_EQ(downloaded.info.filename(), "a.bin");
  EXPECT_EQ(downloaded.info.mime_type(), "image/png");
  EXPECT_EQ(downloaded.info.size(), 3'000'000);
  EXPECT_EQ(port_.Snapshot().hub_calls.at(0).data_json, R"({"res_key":"key"})");
}

TEST_F(FileRpcsTest, AnEmptyFileHasAnInfoToo) {
  Start();
  storage_.Put("/a", {"", "text/plain"});
  const Downloaded downloaded = Download(Stored());
  EXPECT_TRUE(downloaded.status.ok());
  EXPECT_EQ(downloaded.info.mime_type(), "text/plain");
  EXPECT_EQ(downloaded.bytes, "");
}

TEST_F(FileRpcsTest, RedirectsAreFollowedToHttpOnly) {
  Start();
  storage_.Redirect("/a", storage_.Url("/b"));
  storage_.Put("/b", {"moved", "text/plain"});
  EXPECT_EQ(Download(Stored()).bytes, "moved");
  storage_.Redirect("/a", "file:///etc/passwd");
  EXPECT_FALSE(Download(Stored()).status.ok());
  storage_.Redirect("/a", storage_.Url("/a"));
  EXPECT_EQ(Download(Stored()).status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(FileRpcsTest, AReferenceToNothingIsRefused) {
  Start();
  pb::FileRef remote;
  remote.set_remote_url(storage_.Url("/a"));
  EXPECT_EQ(Download(remote).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Download({}).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(FileRpcsTest, TheStoragesErrorIsToldWithoutTheSignature) {
  Start();
  const grpc::Status status = Download(Stored()).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("HTTP status 404"));
  EXPECT_THAT(status.error_message(), Not(HasSubstr("secret")));
}

TEST_F(FileRpcsTest, AnUnreachableStorageIsToldWithoutTheSignature) {
  Start();
  download_url_ = "http://127.0.0.1:1/a?signature=secret";
  const grpc::Status status = Download(Stored()).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("127.0.0.1 port 1"));
  EXPECT_THAT(status.error_message(), Not(HasSubstr("secret")));
}

TEST_F(FileRpcsTest, OnlyHttpIsFetched) {
  Start();
  download_url_ = "file:///etc/passwd";
  const Downloaded downloaded = Download(Stored());
  EXPECT_EQ(downloaded.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(downloaded.bytes, "");
}

TEST_F(FileRpcsTest, AHubWithoutAUrlIsToldOf) {
  Start();
  port_.on_call_hub = [](absl::string_view) { return R"({"url":null})"; };
  EXPECT_THAT(Download(Stored()).status.error_message(), HasSubstr("get_file_url"));
}

TEST_F(FileRpcsTest, ALargeFileIsRefusedWithTheLimit) {
  options_.max_file_bytes = 100;
  Start();
  storage_.Put("/a", {std::string(101, 'x'), "text/plain"});
  const grpc::Status status = Download(Stored()).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("100 bytes (--max-file-bytes)"));
  pb::UploadFileResponse response;
  EXPECT_EQ(Upload(Header(101), {}, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(FileRpcsTest, APluginThatDoesNotReadHoldsUpItsTransferOnly) {
  options_.transfer_stall_timeout = absl::Milliseconds(200);
  Start();
  storage_.Put("/a", {std::string(20'000'000, 'x'), "text/plain"});
  TestContext context;
  pb::DownloadFileRequest request;
  request.set_session_id(session_->id());
  request.set_res_key("key");
  const auto reader = stub_->DownloadFile(&context, request);
  pb::FileRef small;
  small.set_content("other");
  EXPECT_EQ(Download(small).bytes, "other");
  pb::DownloadFileResponse response;
  std::size_t received = 0;
  // Reads nothing until the bridge has given up; the fixture's deadline bounds the wait.
  ASSERT_TRUE(port_.WaitUntil([](const auto& record) { return !record.hub_calls.empty(); }));
  server_->Shutdown(absl::Seconds(5));
  while (reader->Read(&response)) received += response.chunk().size();
  EXPECT_LT(received, 20'000'000u);
  EXPECT_FALSE(reader->Finish().ok());
}

// A storage that moves nothing, beside one that does.
class StalledStorageTest : public FileRpcsTest {
 protected:
  StalledStorageTest() {
    options_.transfer_stall_timeout = absl::Milliseconds(200);
    stalled_.Put("/a", {std::string(1000, 'x'), "text/plain"});
    stalled_.StallAt("/a");
    storage_.Put("/a", {"other", "text/plain"});
    Start();
  }

  bool HubWasAsked(std::size_t times) {
    return port_.WaitUntil(
        [times](const auto& record) { return record.hub_calls.size() >= times; });
  }

  fakes::FakeStorage stalled_;
};

TEST_F(StalledStorageTest, ADownloadFailsAndHoldsUpNoOther) {
  download_url_ = stalled_.Url("/a");
  std::future<Downloaded> stalled =
      std::async(std::launch::async, [this] { return Download(Stored()); });
  ASSERT_TRUE(HubWasAsked(1));
  io_.Run([this] { download_url_ = storage_.Url("/a"); });
  EXPECT_EQ(Download(Stored()).bytes, "other");
  const grpc::Status status = stalled.get().status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("has moved nothing for 200ms"));
}

TEST_F(StalledStorageTest, AnUploadFailsAndHoldsUpNoOther) {
  upload_url_ = stalled_.Url("/a");
  // More than the system's buffers take.
  const std::vector<std::string> chunks(300, std::string(65'536, 'u'));
  std::future<grpc::Status> stalled = std::async(std::launch::async, [&] {
    pb::UploadFileResponse response;
    return Upload(Header(300 * 65'536), chunks, &response);
  });
  ASSERT_TRUE(HubWasAsked(1));
  io_.Run([this] { upload_url_ = storage_.Url("/stored"); });
  pb::UploadFileResponse response;
  EXPECT_TRUE(Upload(Header(5), {"other"}, &response).ok());
  const grpc::Status status = stalled.get();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("has moved nothing for 200ms"));
}

TEST_F(FileRpcsTest, AnUploadIsStoredAndReferredTo) {
  Start();
  const std::string chunk(65'536, 'u');
  pb::UploadFileResponse response;
  const grpc::Status status =
      Upload(Header(20 * 65'536), std::vector<std::string>(20, chunk), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const auto stored = storage_.Objects().at("/stored");
  EXPECT_EQ(stored.bytes.size(), 20u * 65'536);
  EXPECT_EQ(stored.content_type, "application/pdf");
  const pb::FileRef& file = response.file_ref();
  EXPECT_EQ(file.source(), pb::FileRef::SOURCE_OSS);
  EXPECT_EQ(file.res_key(), "key-1");
  EXPECT_EQ(file.filename(), "report.pdf");
  EXPECT_EQ(file.file_extension(), ".pdf");
  EXPECT_EQ(file.size(), 20 * 65'536);
  EXPECT_EQ(port_.Snapshot().hub_calls.at(0).data_json,
            R"({"extension":".pdf","prefixKey":"reports/","key_prefix":"reports/"})");
}

TEST_F(FileRpcsTest, AnEmptyFileCanBeStored) {
  Start();
  pb::UploadFileResponse response;
  EXPECT_TRUE(Upload(Header(0), {}, &response).ok());
  EXPECT_EQ(storage_.Objects().at("/stored").bytes, "");
}

TEST_F(FileRpcsTest, ChunksThatDoNotAddUpAreRefusedAndNothingIsStored) {
  Start();
  pb::UploadFileResponse response;
  EXPECT_EQ(Upload(Header(10), {"12345"}, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Upload(Header(10), {"12345678901"}, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Upload(Header(5), {"12345", "6"}, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(storage_.Objects(), IsEmpty());
}

TEST_F(FileRpcsTest, BadHeadersAreRefused) {
  Start();
  pb::UploadFileResponse response;
  EXPECT_EQ(Upload(Header(-1), {}, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  pb::UploadHeader injecting = Header(1);
  injecting.set_mime_type("text/plain\r\nX-Evil: 1");
  EXPECT_EQ(Upload(injecting, {"x"}, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  pb::UploadHeader unknown = Header(1);
  unknown.set_session_id("nobody");
  EXPECT_EQ(Upload(unknown, {"x"}, &response).error_code(), grpc::StatusCode::UNAUTHENTICATED);

  TestContext context;
  const auto writer = stub_->UploadFile(&context, &response);
  pb::UploadFileRequest chunk;
  chunk.set_chunk("no header before");
  writer->Write(chunk);
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace atomemo::plugin_service
