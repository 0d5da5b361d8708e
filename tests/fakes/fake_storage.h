#ifndef ATOMEMO_TESTS_FAKES_FAKE_STORAGE_H_
#define ATOMEMO_TESTS_FAKES_FAKE_STORAGE_H_

#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/streambuf.hpp>
#include <asio/write.hpp>
#include <istream>
#include <map>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace atomemo::fakes {

// Object storage over HTTP/1.1 on a port of its own: GET and PUT of whole objects by path, one
// connection at a time. The query of a URL is ignored, as a signature would be.
class FakeStorage {
 public:
  struct Object {
    std::string bytes;
    std::string content_type;
  };

  FakeStorage() : thread_([this] { Serve(); }) {}

  ~FakeStorage() {
    stopping_.Notify();
    asio::error_code ignored;
    acceptor_.cancel(ignored);
    asio::ip::tcp::socket(io_).connect(acceptor_.local_endpoint(), ignored);  // wakes accept
    thread_.join();
  }

  std::string Url(const std::string& path) const {
    return absl::StrCat("http://127.0.0.1:", port_, path, "?signature=secret");
  }

  void Put(const std::string& path, Object object) {
    absl::MutexLock lock(&mutex_);
    objects_[path] = std::move(object);
  }

  // Answers GET with a redirect.
  void Redirect(const std::string& path, const std::string& url) {
    absl::MutexLock lock(&mutex_);
    redirects_[path] = url;
  }

  // From now on a GET of the path gets half of its object and then nothing, a PUT is not read, and
  // no other request is served any more.
  void StallAt(const std::string& path) {
    absl::MutexLock lock(&mutex_);
    stalling_path_ = path;
  }

  // What was stored, or nothing.
  std::map<std::string, Object> Objects() const {
    absl::MutexLock lock(&mutex_);
    return objects_;
  }

 private:
  using Socket = asio::ip::tcp::socket;

  void Serve() {
    while (!stopping_.HasBeenNotified()) {
      Socket socket(io_);
      asio::error_code error;
      acceptor_.accept(socket, error);
      if (error || stopping_.HasBeenNotified()) return;
      ServeOne(socket);
    }
  }

  void ServeOne(Socket& socket) {
    asio::error_code error;
    asio::streambuf buffer;
    asio::read_until(socket, buffer, "\r\n\r\n", error);
    if (error) return;
    std::istream stream(&buffer);
    std::string method, target, line;
    stream >> method >> target;
    std::getline(stream, line);
    const std::string path = target.substr(0, target.find('?'));
    std::size_t length = 0;
    std::string type;
    while (std::getline(stream, line) && line != "\r") {
      const std::pair<std::string, std::string> header =
          absl::StrSplit(line, absl::MaxSplits(':', 1));
      const std::string value(absl::StripAsciiWhitespace(header.second));
      if (absl::EqualsIgnoreCase(header.first, "content-length")) {
        (void)absl::SimpleAtoi(value, &length);
      }
      if (absl::EqualsIgnoreCase(header.first, "content-type")) type = value;
    }
    if (StallsAt(path)) {
      const std::string response = Get(path);
      if (method == "GET") asio::write(socket, asio::buffer(response, response.size() / 2), error);
      return stopping_.WaitForNotification();
    }
    if (method == "GET") return Respond(socket, Get(path));
    if (buffer.size() < length) {
      asio::read(socket, buffer, asio::transfer_exactly(length - buffer.size()), error);
      if (error) return;  // broke off: nothing is stored
    }
    std::string bytes(length, '\0');
    stream.read(bytes.data(), static_cast<std::streamsize>(length));
    Put(path, {bytes, type});
    Respond(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }

  bool StallsAt(const std::string& path) const {
    absl::MutexLock lock(&mutex_);
    return path == stalling_path_;
  }

  std::string Get(const std::string& path) const {
    absl::MutexLock lock(&mutex_);
    if (const auto redirect = redirects_.find(path); redirect != redirects_.end()) {
      return absl::StrCat("HTTP/1.1 302 Found\r\nLocation: ", redirect->second,
                          "\r\nContent-Length: 0\r\n\r\n");
    }
    const auto object = objects_.find(path);
    if (object == objects_.end()) return "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone";
    return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: ", object->second.content_type,
                        "\r\nContent-Length: ", object->second.bytes.size(), "\r\n\r\n",
                        object->second.bytes);
  }

  static void Respond(Socket& socket, const std::string& response) {
    asio::error_code ignored;
    asio::write(socket, asio::buffer(response), ignored);
    socket.shutdown(Socket::shutdown_both, ignored);
  }

  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  const int port_ = acceptor_.local_endpoint().port();
  absl::Notification stopping_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Object> objects_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> redirects_ ABSL_GUARDED_BY(mutex_);
  std::string stalling_path_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_FAKE_STORAGE_H_
