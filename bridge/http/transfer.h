#ifndef ATOMEMO_BRIDGE_HTTP_TRANSFER_H_
#define ATOMEMO_BRIDGE_HTTP_TRANSFER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace atomemo::http {

// Moving files over HTTP, without ever holding one in memory. Both functions block; they are for
// threads that may. The callbacks are called on the same thread, and may block too: the other side
// of the connection then waits. An error that a callback returns ends the transfer and is what the
// function returns.
//
// INVALID_ARGUMENT: not an http or https URL. CANCELLED: `is_cancelled` said so. UNAVAILABLE: the
// storage could not be reached, broke off, answered with an error, or moved nothing for
// `stall_timeout`. INTERNAL: there is no libcurl. No message contains the URL's query, which is a
// secret.

struct TransferControl {
  absl::Duration stall_timeout = absl::Seconds(60);
  // Asked at least once a second.
  std::function<bool()> is_cancelled;
};

struct ResponseInfo {
  std::optional<std::string> content_type;
  std::optional<std::int64_t> content_length;
};

// GET. RESOURCE_EXHAUSTED, before anything is received where possible, if the file is larger than
// `max_bytes`. `on_start` is called once, even for an empty file, and before `on_data`.
absl::Status Download(const std::string& url, std::size_t max_bytes, const TransferControl& control,
                      const std::function<absl::Status(const ResponseInfo&)>& on_start,
                      const std::function<absl::Status(absl::string_view)>& on_data);

// PUT of exactly `size` bytes. `read` fills the buffer with at least one byte, and is not called
// for an empty file.
absl::Status Upload(
    const std::string& url, const std::string& content_type, std::int64_t size,
    const TransferControl& control,
    const std::function<absl::StatusOr<std::size_t>(char* buffer, std::size_t size)>& read);

}  // namespace atomemo::http

#endif  // ATOMEMO_BRIDGE_HTTP_TRANSFER_H_
