#include "bridge/plugin_service/chunk_pipe.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace atomemo::plugin_service {

ChunkPipe::ChunkPipe(std::size_t expected_bytes, std::function<void()> on_consumed)
    : expected_bytes_(expected_bytes), on_consumed_(std::move(on_consumed)) {}

absl::Status ChunkPipe::Write(std::string chunk) {
  bool empty = false;
  {
    absl::MutexLock lock(&mutex_);
    if (closed_) return *closed_;
    written_ += chunk.size();
    if (written_ > expected_bytes_) {
      return Fail(absl::InvalidArgumentError(absl::StrCat("the chunks have more bytes than the ",
                                                          expected_bytes_, " of `header.size`")));
    }
    empty = chunk.empty();
    chunk_ = std::move(chunk);
    taken_ = 0;
  }
  if (empty) on_consumed_();
  return absl::OkStatus();
}

absl::Status ChunkPipe::Close(absl::Status why) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return *closed_;
  if (why.ok() && written_ != expected_bytes_) {
    why = absl::InvalidArgumentError(absl::StrCat(
        "the chunks have ", written_, " bytes, but `header.size` is ", expected_bytes_));
  }
  return Fail(std::move(why));
}

absl::StatusOr<std::size_t> ChunkPipe::Read(char* buffer, std::size_t size,
                                            absl::Duration timeout) {
  std::size_t count = 0;
  bool consumed = false;
  {
    absl::MutexLock lock(&mutex_);
    if (!mutex_.AwaitWithTimeout(absl::Condition(this, &ChunkPipe::Readable), timeout)) {
      return absl::DeadlineExceededError(
          absl::StrCat("the plugin has sent nothing for ", absl::FormatDuration(timeout)));
    }
    if (closed_ && !closed_->ok()) return *closed_;
    if (chunk_.empty()) return absl::InternalError("read beyond the end of an upload");
    count = std::min(size, chunk_.size() - taken_);
    std::memcpy(buffer, chunk_.data() + taken_, count);
    taken_ += count;
    consumed = taken_ == chunk_.size();
    if (consumed) chunk_.clear();
  }
  if (consumed) on_consumed_();
  return count;
}

absl::Status ChunkPipe::WaitForEnd(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(this, &ChunkPipe::Closed), timeout)) {
    return absl::DeadlineExceededError("the plugin has not half-closed the stream");
  }
  return *closed_;
}

absl::Status ChunkPipe::Fail(absl::Status why) {
  closed_ = why;
  return why;
}

}  // namespace atomemo::plugin_service
