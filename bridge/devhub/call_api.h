#ifndef ATOMEMO_BRIDGE_DEVHUB_CALL_API_H_
#define ATOMEMO_BRIDGE_DEVHUB_CALL_API_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bridge/devhub/call_broker.h"
#include "bridge/devhub/http_message.h"
#include "bridge/devhub/topic_directory.h"

namespace atomemo::devhub {

// The part of the HTTP API that makes calls and shows them. What it is given must outlive it.
// Lives on the io thread.
class CallApi {
 public:
  CallApi(TopicDirectory& directory, CallBroker& broker) : directory_(directory), broker_(broker) {}

  // POST /api/calls: answers when the call has ended, or at once when its "wait" is false. Its
  // "on_response" and "on_error" say what becomes of its answers: "take", "crash" or "close".
  void Post(const std::string& body, const HttpReply& reply);

  // GET /api/calls: the latest calls, without payloads.
  HttpResponse List() const;

  // GET /api/calls/{request_id}: one call with all its answers.
  HttpResponse Get(const std::string& request_id) const;

 private:
  void Deliver(const std::string& topic, absl::string_view event, const std::string& payload,
               bool broadcast);
  HttpResponse NotJoined(const std::string& plugin) const;

  TopicDirectory& directory_;
  CallBroker& broker_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_CALL_API_H_
