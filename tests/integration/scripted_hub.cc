#include "tests/integration/scripted_hub.h"

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <deque>
#include <thread>
#include <utility>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {

class ScriptedHub::Impl {
 public:
  Impl() {
    server_.clear_access_channels(websocketpp::log::alevel::all);
    server_.clear_error_channels(websocketpp::log::elevel::all);
    server_.init_asio(&io_);
    server_.set_open_handler([this](auto handle) { connection_ = handle; });
    server_.set_message_handler(
        [this](auto, const Server::message_ptr& message) { OnText(message->get_payload()); });
    server_.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    server_.start_accept();
    asio::error_code error;
    port_ = server_.get_local_endpoint(error).port();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Impl() {
    io_.stop();
    thread_.join();
  }

  int port() const { return port_; }

  void Say(std::string text) {
    asio::post(io_, [this, text = std::move(text)] {
      websocketpp::lib::error_code ignored;
      server_.send(connection_, text, websocketpp::frame::opcode::text, ignored);
    });
  }

  hub::PhoenixFrame Take(absl::string_view event) {
    absl::MutexLock lock(&mutex_);
    const auto find = [this, event]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return std::find_if(
          received_.begin(), received_.end(),
          [event](const hub::PhoenixFrame& frame) { return absl::StartsWith(frame.event, event); });
    };
    const auto has = [this, &find]()
                         ABSL_NO_THREAD_SAFETY_ANALYSIS { return find() != received_.end(); };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&has), kPatience)) return {};
    const auto found = find();
    hub::PhoenixFrame frame = std::move(*found);
    received_.erase(found);
    return frame;
  }

 private:
  using Server = websocketpp::server<websocketpp::config::asio>;

  void OnText(const std::string& text) {
    absl::StatusOr<hub::PhoenixFrame> frame = hub::ParsePhoenixFrame(text);
    if (!frame.ok()) return;
    for (const absl::string_view welcome : {"phx_join", "register_plugin", "heartbeat"}) {
      if (frame->event != welcome) continue;
      Say(hub::EncodePhoenixFrame({frame->join_ref, frame->ref, frame->topic, "phx_reply",
                                   R"({"response":{},"status":"ok"})"}));
    }
    absl::MutexLock lock(&mutex_);
    received_.push_back(*std::move(frame));
  }

  asio::io_context io_;
  Server server_;
  websocketpp::connection_hdl connection_;  // on the hub's thread
  int port_ = 0;
  absl::Mutex mutex_;
  std::deque<hub::PhoenixFrame> received_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

ScriptedHub::ScriptedHub() : impl_(std::make_unique<Impl>()) {}
ScriptedHub::~ScriptedHub() = default;

std::string ScriptedHub::url() const { return absl::StrCat("ws://127.0.0.1:", impl_->port()); }

void ScriptedHub::Say(absl::string_view text) { impl_->Say(std::string(text)); }

hub::PhoenixFrame ScriptedHub::Take(absl::string_view event) { return impl_->Take(event); }

}  // namespace atomemo::integration
