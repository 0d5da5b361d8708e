#include "tests/integration/chaos/fault_proxy.h"

#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/socket_base.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace atomemo::chaos {
namespace {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 64 << 10;
// So much may be under way in one direction; then reading stops, as it does with a full pipe.
constexpr std::size_t kPipeBytes = 1 << 20;

// What the network is like at the moment, for all connections.
struct Weather {
  bool stalled = false;
  Clock::duration latency{0};
};

tcp::endpoint Local(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

// One direction of a connection: reads, holds for the latency, writes.
class Pipe {
 public:
  // `broken` is called with true for an orderly end, once everything before it was passed on.
  Pipe(const Weather& weather, tcp::socket& from, tcp::socket& to, std::function<void(bool)> broken)
      : weather_(weather),
        from_(from),
        to_(to),
        timer_(from.get_executor()),
        broken_(std::move(broken)) {}

  // Goes on where it can; `alive` keeps the pipe as long as something is under way.
  void Pump(const std::shared_ptr<void>& alive) {
    if (stopped_ || weather_.stalled) return;
    if (failed_) return broken_(false);
    Read(alive);
    Write(alive);
  }
  void Stop() {
    stopped_ = true;
    timer_.cancel();
  }

 private:
  struct Chunk {
    std::string bytes;
    Clock::time_point due;
  };

  void Read(const std::shared_ptr<void>& alive) {
    if (reading_ || ended_ || held_bytes_ >= kPipeBytes) return;
    reading_ = true;
    from_.async_read_some(asio::buffer(buffer_),
                          [this, alive](const asio::error_code& error, std::size_t count) {
                            reading_ = false;
                            ended_ = error == asio::error::eof;
                            failed_ = error && !ended_;
                            if (!error) Hold(count);
                            Pump(alive);
                          });
  }

  void Hold(std::size_t count) {
    held_bytes_ += count;
    held_.push_back({std::string(buffer_.data(), count), Clock::now() + weather_.latency});
  }

  void Write(const std::shared_ptr<void>& alive) {
    if (writing_) return;
    if (held_.empty()) {
      if (ended_) broken_(true);
      return;
    }
    writing_ = true;
    if (held_.front().due > Clock::now()) {
      timer_.expires_at(held_.front().due);
      timer_.async_wait([this, alive](const asio::error_code& error) {
        writing_ = false;
        if (!error) Pump(alive);
      });
      return;
    }
    asio::async_write(to_, asio::buffer(held_.front().bytes),
                      [this, alive](const asio::error_code& error, std::size_t) {
                        writing_ = false;
                        held_bytes_ -= held_.front().bytes.size();
                        held_.pop_front();
                        if (error) failed_ = true;
                        Pump(alive);
                      });
  }

  const Weather& weather_;
  tcp::socket& from_;
  tcp::socket& to_;
  asio::steady_timer timer_;
  const std::function<void(bool)> broken_;
  std::array<char, kReadBytes> buffer_;
  std::deque<Chunk> held_;
  std::size_t held_bytes_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool ended_ = false;   // the one end has said that it is done
  bool failed_ = false;  // either end is gone
  bool stopped_ = false;
};

// One connection, from the client to the target.
class Link : public std::enable_shared_from_this<Link> {
 public:
  using OnClosed = std::function<void(const std::shared_ptr<Link>&)>;

  Link(const Weather& weather, tcp::socket client, OnClosed on_closed)
      : client_(std::move(client)),
        target_(client_.get_executor()),
        on_closed_(std::move(on_closed)),
        up_(weather, client_, target_, [this](bool orderly) { Close(orderly); }),
        down_(weather, target_, client_, [this](bool orderly) { Close(orderly); }) {}

  void Connect(const tcp::endpoint& target) {
    target_.async_connect(target, [self = shared_from_this()](const asio::error_code& error) {
      if (self->closed_) return;
      if (error) return self->Close(false);
      asio::error_code ignored;
      self->client_.set_option(tcp::no_delay(true), ignored);
      self->target_.set_option(tcp::no_delay(true), ignored);
      self->connected_ = true;
      self->Pump();
    });
  }

  void Pump() {
    if (connected_ && !closed_) up_.Pump(shared_from_this());
    if (connected_ && !closed_) down_.Pump(shared_from_this());
  }

  bool connected() const { return connected_; }

  void Close(bool orderly) {
    if (std::exchange(closed_, true)) return;
    up_.Stop();
    down_.Stop();
    for (tcp::socket* socket : {&client_, &target_}) {
      asio::error_code ignored;
      if (orderly) {
        socket->shutdown(tcp::socket::shutdown_both, ignored);
      } else {
        socket->set_option(asio::socket_base::linger(true, 0), ignored);
      }
      socket->close(ignored);
    }
    on_closed_(shared_from_this());
  }

 private:
  tcp::socket client_;
  tcp::socket target_;
  const OnClosed on_closed_;
  Pipe up_;
  Pipe down_;
  bool connected_ = false;
  bool closed_ = false;
};

}  // namespace

class FaultProxy::Impl {
 public:
  explicit Impl(std::uint16_t target_port)
      : target_(Local(target_port)),
        work_(asio::make_work_guard(io_)),
        acceptor_(io_),
        stall_timer_(io_),
        delay_timer_(io_) {}

  ~Impl() {
    if (!thread_.joinable()) return;
    Do([this] {
      closing_ = true;
      asio::error_code ignored;
      acceptor_.close(ignored);
      stall_timer_.cancel();
      delay_timer_.cancel();
      return EndAll(false);
    });
    work_.reset();
    thread_.join();
  }

  absl::StatusOr<std::uint16_t> Start() {
    asio::error_code error;
    acceptor_.open(tcp::v4(), error);
    if (!error) acceptor_.bind(Local(0), error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return absl::UnavailableError(absl::StrCat("cannot listen: ", error.message()));
    const std::uint16_t port = acceptor_.local_endpoint(error).port();
    Accept();
    thread_ = std::thread([this] { io_.run(); });
    return port;
  }

  std::size_t End(bool orderly) {
    return Do([this, orderly] { return EndAll(orderly); });
  }

  void Stall(absl::Duration lasting) {
    Do([this, lasting] {
      weather_.stalled = true;
      stall_timer_.expires_after(absl::ToChronoNanoseconds(lasting));
      stall_timer_.async_wait([this](const asio::error_code& error) {
        if (error) return;
        weather_.stalled = false;
        for (const auto& link : std::set<std::shared_ptr<Link>>(links_)) link->Pump();
      });
      return 0;
    });
  }

  void Delay(absl::Duration latency, absl::Duration lasting) {
    Do([this, latency, lasting] {
      weather_.latency = absl::ToChronoNanoseconds(latency);
      delay_timer_.expires_after(absl::ToChronoNanoseconds(lasting));
      delay_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) weather_.latency = Clock::duration(0);
      });
      return 0;
    });
  }

 private:
  // Runs `task` on the proxy's thread and waits for its result.
  std::size_t Do(const std::function<std::size_t()>& task) {
    const auto result = std::make_shared<std::promise<std::size_t>>();
    asio::post(io_, [result, &task] { result->set_value(task()); });
    return result->get_future().get();
  }

  std::size_t EndAll(bool orderly) {
    const std::set<std::shared_ptr<Link>> links = links_;
    std::size_t connected = 0;
    for (const auto& link : links) {
      if (link->connected()) ++connected;
      link->Close(orderly);
    }
    return connected;
  }

  void Accept() {
    acceptor_.async_accept([this](const asio::error_code& error, tcp::socket client) {
      if (closing_) return;
      if (!error) {
        auto link = std::make_shared<Link>(
            weather_, std::move(client),
            [this](const std::shared_ptr<Link>& closed) { links_.erase(closed); });
        links_.insert(link);
        link->Connect(target_);
      }
      Accept();
    });
  }

  const tcp::endpoint target_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  tcp::acceptor acceptor_;
  asio::steady_timer stall_timer_;
  asio::steady_timer delay_timer_;
  std::thread thread_;
  // Of the thread.
  Weather weather_;
  std::set<std::shared_ptr<Link>> links_;
  bool closing_ = false;
};

FaultProxy::FaultProxy(std::uint16_t target_port) : impl_(std::make_unique<Impl>(target_port)) {}

FaultProxy::~FaultProxy() = default;

absl::StatusOr<std::uint16_t> FaultProxy::Start() { return impl_->Start(); }

std::size_t FaultProxy::Cut() { return impl_->End(/*orderly=*/true); }

std::size_t FaultProxy::Reset() { return impl_->End(/*orderly=*/false); }

void FaultProxy::Stall(absl::Duration lasting) { impl_->Stall(lasting); }

void FaultProxy::Delay(absl::Duration latency, absl::Duration lasting) {
  impl_->Delay(latency, lasting);
}

}  // namespace atomemo::chaos
