#include "bridge/hub/proxy_tunnel.h"

#include <asio/buffer.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace atomemo::hub {
namespace {

constexpr char kHeaderEnd[] = "\r\n\r\n";
constexpr std::size_t kMaxAnswerBytes = 16 << 10;
constexpr std::size_t kMaxReasonBytes = 100;

// "HTTP 403 Forbidden"
std::string Quote(int status, absl::string_view reason) {
  std::string text = absl::StrCat("HTTP ", status);
  reason = absl::StripAsciiWhitespace(reason.substr(0, kMaxReasonBytes));
  if (!reason.empty()) absl::StrAppend(&text, " ", absl::CHexEscape(reason));
  return text;
}

}  // namespace

ProxyTunnel::ProxyTunnel(asio::ip::tcp::socket socket, Proxy proxy, std::string authority,
                         Done done)
    : socket_(std::move(socket)),
      proxy_(std::move(proxy)),
      authority_(std::move(authority)),
      done_(std::move(done)) {}

void ProxyTunnel::Start() {
  request_ = absl::StrCat("CONNECT ", authority_, " HTTP/1.1\r\nHost: ", authority_, "\r\n");
  if (!proxy_.user.empty() || !proxy_.password.empty()) {
    absl::StrAppend(&request_, "Proxy-Authorization: Basic ",
                    absl::Base64Escape(absl::StrCat(proxy_.user, ":", proxy_.password)), "\r\n");
  }
  absl::StrAppend(&request_, "\r\n");
  asio::async_write(socket_, asio::buffer(request_),
                    [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                      if (error) return self->Fail(error.message());
                      self->Read();
                    });
}

void ProxyTunnel::Cancel() {
  done_ = nullptr;
  asio::error_code ignored;
  socket_.close(ignored);
}

void ProxyTunnel::Read() {
  asio::async_read_until(
      socket_, asio::dynamic_buffer(answer_, kMaxAnswerBytes), kHeaderEnd,
      [self = shared_from_this()](const asio::error_code& error, std::size_t header_bytes) {
        if (error == asio::error::eof) return self->Fail("closed the connection");
        if (error == asio::error::not_found) return self->Fail("does not answer as an HTTP proxy");
        if (error) return self->Fail(error.message());
        self->OnAnswer(header_bytes);
      });
}

void ProxyTunnel::OnAnswer(std::size_t header_bytes) {
  const absl::string_view answer = answer_;
  absl::Status verdict = Judge(answer.substr(0, answer.find("\r\n")));
  if (!verdict.ok()) return End(std::move(verdict));
  // The hub does not speak first.
  if (answer.size() > header_bytes) return Fail("sent more than its answer");
  End(std::move(socket_));
}

absl::Status ProxyTunnel::Judge(absl::string_view status_line) const {
  const std::string name = absl::StrCat("the proxy ", FormatProxy(proxy_));
  int status = 0;
  // "HTTP/1.1 200 Connection established"
  constexpr std::size_t kCodeAt = 9;
  constexpr std::size_t kCodeEnd = 12;
  if (!absl::StartsWith(status_line, "HTTP/1.") || status_line.size() < kCodeEnd ||
      !absl::SimpleAtoi(status_line.substr(kCodeAt, kCodeEnd - kCodeAt), &status)) {
    return absl::UnavailableError(absl::StrCat(name, " does not answer as an HTTP proxy"));
  }
  if (status >= 200 && status < 300) return absl::OkStatus();
  const std::string quoted = Quote(status, status_line.substr(kCodeEnd));
  if (status == 407) {
    return absl::UnavailableError(absl::StrCat(
        name,
        proxy_.user.empty() ? " asks for a user name and a password: put them into its URL"
                            : " refuses the user name or the password in its URL",
        " (", quoted, ")"));
  }
  return absl::UnavailableError(
      absl::StrCat(name, status >= 500 ? " cannot reach " : " refuses to connect to ", authority_,
                   " (", quoted, ")"));
}

void ProxyTunnel::Fail(absl::string_view what) {
  End(absl::UnavailableError(absl::StrCat("the proxy ", FormatProxy(proxy_), ": ", what)));
}

void ProxyTunnel::End(absl::StatusOr<asio::ip::tcp::socket> outcome) {
  const Done done = std::exchange(done_, nullptr);
  Cancel();
  if (done != nullptr) done(std::move(outcome));
}

}  // namespace atomemo::hub
