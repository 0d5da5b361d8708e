#ifndef ATOMEMO_TESTS_FAKES_FAKE_WEBSOCKET_H_
#define ATOMEMO_TESTS_FAKES_FAKE_WEBSOCKET_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/hub/phoenix_frame.h"
#include "bridge/hub/websocket.h"

namespace atomemo::fakes {

// A WebSocketTransport whose other side is the test: it records what is asked of it, and the test
// plays the server.
class FakeWebSocket : public hub::WebSocketTransport {
 public:
  // All that were made and still exist, in order.
  class Factory {
   public:
    hub::WebSocketTransportFactory AsFunction() {
      return [this] {
        auto made = std::make_unique<FakeWebSocket>();
        made->siblings_ = live_;
        live_->push_back(made.get());
        return made;
      };
    }
    FakeWebSocket& operator[](std::size_t index) const { return *live_->at(index); }
    std::size_t size() const { return live_->size(); }

   private:
    std::shared_ptr<std::vector<FakeWebSocket*>> live_ =
        std::make_shared<std::vector<FakeWebSocket*>>();
  };

  ~FakeWebSocket() override {
    if (siblings_) siblings_->erase(std::find(siblings_->begin(), siblings_->end(), this));
  }

  // ---- What the code under test asks

  void SetCallbacks(Callbacks callbacks) override { callbacks_ = std::move(callbacks); }
  void Connect(const std::string& url) override {
    urls.push_back(url);
    state_ = State::kConnecting;
  }
  absl::Status Send(absl::string_view text) override {
    if (state_ != State::kOpen) return absl::UnavailableError("not open");
    sent.push_back(*hub::ParsePhoenixFrame(text));
    return absl::OkStatus();
  }
  void Close(std::uint16_t code) override {
    close_codes.push_back(code);
    if (state_ == State::kOpen) state_ = State::kClosing;
  }
  void Drop() override {
    if (state_ != State::kClosed) ++drops;
    state_ = State::kClosed;
  }
  std::string peer() const override { return peer_address; }
  std::size_t buffered_amount() const override { return buffered; }
  void SetReading(bool reading_now) override { reading = reading_now; }

  // ---- What the server does

  void Accept() {
    state_ = State::kOpen;
    callbacks_.on_open();
  }
  // Answers the upgrade with an HTTP error.
  void Refuse(int http_status, std::optional<absl::Duration> retry_after = std::nullopt) {
    state_ = State::kClosed;
    hub::WebSocketClosed closed;
    closed.http_status = http_status;
    closed.reason = "HTTP error";
    closed.peer = peer_address;
    closed.retry_after = retry_after;
    callbacks_.on_close(closed);
  }
  // Ends the attempt or the connection.
  void Lose(std::uint16_t code = hub::kCloseAbnormal, std::string reason = "lost",
            bool by_bridge = false) {
    const bool was_open = state_ == State::kOpen || state_ == State::kClosing;
    state_ = State::kClosed;
    hub::WebSocketClosed closed;
    closed.was_open = was_open;
    closed.code = code;
    closed.by_bridge = by_bridge;
    closed.reason = std::move(reason);
    closed.peer = peer_address;
    callbacks_.on_close(closed);
  }
  void Say(absl::string_view text) { callbacks_.on_message(std::string(text)); }
  void Say(const hub::PhoenixFrame& frame) { Say(hub::EncodePhoenixFrame(frame)); }

  // Answers `frame` as a channel does.
  void Reply(const hub::PhoenixFrame& frame, absl::string_view status = "ok",
             absl::string_view response = "{}") {
    Say({frame.join_ref, frame.ref, frame.topic, "phx_reply",
         absl::StrCat(R"({"response":)", response, R"(,"status":")", status, "\"}")});
  }

  // The frames with this event that were sent, taken out of the record.
  std::vector<hub::PhoenixFrame> Take(absl::string_view event) {
    std::vector<hub::PhoenixFrame> taken;
    for (const hub::PhoenixFrame& frame : std::exchange(sent, {})) {
      (frame.event == event ? taken : sent).push_back(frame);
    }
    return taken;
  }
  // The only such frame; an empty one if there is none or there are several.
  hub::PhoenixFrame TakeOne(absl::string_view event) {
    std::vector<hub::PhoenixFrame> taken = Take(event);
    return taken.size() == 1 ? taken.front() : hub::PhoenixFrame();
  }

  // How many such frames are in the record.
  std::size_t Count(absl::string_view event) const {
    return static_cast<std::size_t>(
        std::count_if(sent.begin(), sent.end(),
                      [event](const hub::PhoenixFrame& frame) { return frame.event == event; }));
  }

  bool is_connecting() const { return state_ == State::kConnecting; }

  std::string peer_address;
  std::vector<std::string> urls;
  std::vector<hub::PhoenixFrame> sent;
  std::vector<std::uint16_t> close_codes;
  int drops = 0;
  std::size_t buffered = 0;
  bool reading = true;

 private:
  enum class State { kClosed, kConnecting, kOpen, kClosing };

  std::shared_ptr<std::vector<FakeWebSocket*>> siblings_;
  Callbacks callbacks_;
  State state_ = State::kClosed;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_FAKE_WEBSOCKET_H_
