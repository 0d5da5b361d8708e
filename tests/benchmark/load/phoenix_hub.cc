#include "tests/benchmark/load/phoenix_hub.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace atomemo::benchmark {
namespace {

constexpr absl::string_view kRawPath = "/raw/";
constexpr absl::string_view kCredentials = R"(,"credentials":{"id1":{"api_key":"sk-0123"}}}])";

absl::string_view Unquoted(absl::string_view json) {
  absl::ConsumePrefix(&json, "\"");
  absl::ConsumeSuffix(&json, "\"");
  return json;
}

}  // namespace

struct PhoenixHub::Head {
  // The refs as JSON; topic and event without their quotes. No text that comes here has escapes.
  absl::string_view join_ref;
  absl::string_view ref;
  absl::string_view topic;
  absl::string_view event;

  static Head Read(absl::string_view text) {
    absl::ConsumePrefix(&text, "[");
    Head head;
    head.join_ref = NextElement(text);
    head.ref = NextElement(text);
    head.topic = Unquoted(NextElement(text));
    head.event = Unquoted(NextElement(text));
    return head;
  }

 private:
  static absl::string_view NextElement(absl::string_view& text) {
    while (absl::ConsumePrefix(&text, ",") || absl::ConsumePrefix(&text, " ")) {
    }
    const std::size_t quote = absl::StartsWith(text, "\"") ? text.find('"', 1) + 1 : 0;
    const std::size_t end = std::min(text.find(',', quote), text.size());
    const absl::string_view element = text.substr(0, end);
    text.remove_prefix(end);
    return element;
  }
};

namespace {

std::string Reply(absl::string_view join_ref, absl::string_view ref, absl::string_view topic) {
  return absl::StrCat("[", join_ref, ",", ref, ",\"", topic,
                      R"(","phx_reply",{"response":{},"status":"ok"}])");
}

}  // namespace

PhoenixHub::PhoenixHub(const Options& options)
    : options_(options),
      payloads_(options.content),
      driver_([this](std::size_t topic, std::uint64_t id, std::size_t bytes) {
        SendCall(topic, id, bytes);
      }) {}

void PhoenixHub::OnOpen(WebSocketConnection& connection, absl::string_view path) {
  if (absl::ConsumePrefix(&path, kRawPath)) Connect(path, connection, "null");
}

void PhoenixHub::OnClosed(WebSocketConnection& connection) {
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    if (topics_[i].connection != &connection) continue;
    topics_[i].connection = nullptr;
    driver_.RemoveTopic(driver_.topic_name(i));
  }
  late_replies_.erase(
      std::remove_if(late_replies_.begin(), late_replies_.end(),
                     [&](const LateReply& reply) { return reply.connection == &connection; }),
      late_replies_.end());
}

void PhoenixHub::Connect(absl::string_view topic, WebSocketConnection& connection,
                         absl::string_view join_ref) {
  const std::size_t index = driver_.AddTopic(topic);
  if (topics_.size() <= index) topics_.resize(index + 1);
  topics_[index] = {&connection, std::string(join_ref)};
}

void PhoenixHub::OnText(WebSocketConnection& connection, absl::string_view text) {
  const Head head = Head::Read(text);
  // "invoke_tool" comes back from a raw echo.
  if (head.event == "invoke_tool_response" || head.event == "invoke_tool") {
    OnAnswer(text, true);
  } else if (head.event == "invoke_tool_error" || head.event == "unsupported_event") {
    OnAnswer(text, false);
  } else if (head.event == "heartbeat") {
    OnHeartbeat(connection, head);
  } else if (head.event == "register_plugin") {
    connection.Send({Reply(head.join_ref, head.ref, head.topic)});
    Connect(head.topic, connection, head.join_ref);
  } else {
    if (head.event == "phx_leave") driver_.RemoveTopic(head.topic);
    connection.Send({Reply(head.join_ref, head.ref, head.topic)});
  }
}

void PhoenixHub::OnAnswer(absl::string_view text, bool good) {
  const std::optional<std::uint64_t> id = FindRequestId(text);
  if (id) driver_.meter().OnAnswer(*id, good ? absl::string_view() : text);
}

void PhoenixHub::OnHeartbeat(WebSocketConnection& connection, const Head& head) {
  std::string reply = Reply(head.join_ref, head.ref, head.topic);
  if (options_.heartbeat_delay == absl::ZeroDuration()) return connection.Send({reply});
  late_replies_.push_back(
      {Meter::Clock::now() + absl::ToChronoNanoseconds(options_.heartbeat_delay), &connection,
       std::move(reply)});
}

absl::Duration PhoenixHub::Tick() {
  absl::Duration wait = driver_.meter().Tick();
  const Meter::Clock::time_point now = Meter::Clock::now();
  while (!late_replies_.empty() && late_replies_.front().due <= now) {
    late_replies_.front().connection->Send({late_replies_.front().text});
    late_replies_.pop_front();
  }
  if (!late_replies_.empty()) {
    wait = std::min(wait, absl::FromChrono(late_replies_.front().due - now));
  }
  return wait;
}

void PhoenixHub::SendCall(std::size_t topic, std::uint64_t id, std::size_t bytes) {
  const Topic& target = topics_[topic];
  if (target.connection == nullptr) return;
  const std::string head = absl::StrCat("[", target.join_ref, ",null,\"", driver_.topic_name(topic),
                                        R"(","invoke_tool",{"request_id":")", RequestId(id),
                                        R"(","tool_name":"do-work","parameters":)");
  const std::size_t envelope = head.size() + kCredentials.size();
  const std::string& parameters = payloads_.OfSize(bytes > envelope ? bytes - envelope : 0);
  target.connection->Send({head, parameters, kCredentials});
}

}  // namespace atomemo::benchmark
