#include "tests/benchmark/scripted_hub.h"

#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace atomemo::benchmark {
namespace {

// How soon what is posted is done.
constexpr absl::Duration kTurn = absl::Milliseconds(1);

absl::string_view Unquoted(absl::string_view json) {
  absl::ConsumePrefix(&json, "\"");
  absl::ConsumeSuffix(&json, "\"");
  return json;
}

}  // namespace

ScriptedHub::ScriptedHub() {
  port_ = server_.Listen().value();
  thread_ = std::thread([this] {
    loop_.Run([this] {
      RunPosted();
      server_.Flush();
      return kTurn;
    });
  });
}

ScriptedHub::~ScriptedHub() {
  Post([this] { loop_.Stop(); });
  thread_.join();
}

void ScriptedHub::Push(const std::string& topic, const std::string& event, std::string payload) {
  Post([this, topic, event, payload = std::move(payload)] {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return;
    found->second.connection->Send(
        {"[", found->second.join_ref, ",null,\"", topic, "\",\"", event, "\",", payload, "]"});
  });
}

void ScriptedHub::Crash(const std::string& topic) {
  Post([this, topic] {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return;
    const std::string& ref = found->second.join_ref;
    found->second.connection->Send({"[", ref, ",", ref, ",\"", topic, "\",\"phx_error\",{}]"});
  });
}

void ScriptedHub::AbortConnections() {
  Post([this] {
    for (WebSocketConnection* connection : connections_) connection->Abort();
  });
}

void ScriptedHub::HoldJoins() {
  Post([this] { joins_.holds = true; });
}
void ScriptedHub::ReleaseJoins() {
  Post([this] { Release(joins_); });
}
void ScriptedHub::HoldHeartbeats() {
  Post([this] { heartbeats_.holds = true; });
}
void ScriptedHub::ReleaseHeartbeats() {
  Post([this] { Release(heartbeats_); });
}

void ScriptedHub::set_hub_call_data(std::string data) {
  Post([this, data = std::move(data)] { hub_call_data_ = data; });
}

void ScriptedHub::OnOpen(WebSocketConnection& connection, absl::string_view /*path*/) {
  connections_.insert(&connection);
}

void ScriptedHub::OnClosed(WebSocketConnection& connection) {
  connections_.erase(&connection);
  for (Held* held : {&joins_, &heartbeats_}) {
    for (auto& reply : held->replies) {
      if (reply.first == &connection) reply.first = nullptr;
    }
  }
  for (auto topic = topics_.begin(); topic != topics_.end();) {
    topic = topic->second.connection == &connection ? topics_.erase(topic) : std::next(topic);
  }
}

void ScriptedHub::OnText(WebSocketConnection& connection, absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(',', 4));
  if (parts.size() < 5) return;
  const absl::string_view join_ref = parts[0].substr(1);
  const absl::string_view event = Unquoted(parts[3]);
  if (event == "invoke_tool_response" || event == "invoke_tool_error" ||
      event == "unsupported_event") {
    ++answers_;
    return;
  }
  std::string reply = absl::StrCat("[", join_ref, ",", parts[1], ",", parts[2],
                                   R"(,"phx_reply",{"response":{},"status":"ok"}])");
  if (absl::StartsWith(event, "hub_call:")) {
    // The payload begins with the request_id.
    const absl::string_view id = parts[4].substr(0, parts[4].find(','));
    connection.Send({"[", join_ref, ",null,", parts[2], ",\"hub_call_response\",", id,
                     ",\"data\":", hub_call_data_, "}]"});
    return;
  }
  if (event == "register_plugin") {
    ++registrations_;
    topics_[std::string(Unquoted(parts[2]))] = {&connection, std::string(join_ref)};
  }
  if (event == "phx_join") return Reply(joins_, connection, std::move(reply));
  if (event == "heartbeat") return Reply(heartbeats_, connection, std::move(reply));
  connection.Send({reply});
}

void ScriptedHub::Reply(Held& held, WebSocketConnection& connection, std::string text) {
  if (!held.holds) return connection.Send({text});
  held.replies.emplace_back(&connection, std::move(text));
}

void ScriptedHub::Release(Held& held) {
  held.holds = false;
  for (auto& [connection, text] : std::exchange(held.replies, {})) {
    if (connection != nullptr) connection->Send({text});
  }
}

void ScriptedHub::Post(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  posted_.push_back(std::move(task));
}

void ScriptedHub::RunPosted() {
  std::vector<std::function<void()>> tasks;
  {
    absl::MutexLock lock(&mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

}  // namespace atomemo::benchmark
