#ifndef ATOMEMO_BRIDGE_DEVHUB_HTTP_API_H_
#define ATOMEMO_BRIDGE_DEVHUB_HTTP_API_H_

#include <string>

#include "bridge/devhub/call_api.h"
#include "bridge/devhub/call_broker.h"
#include "bridge/devhub/http_message.h"
#include "bridge/devhub/topic_directory.h"

namespace atomemo::devhub {

// The hub's own HTTP API, for developers and test benches:
//   GET  /                                a page for people
//   GET  /healthz                         counters
//   GET  /api/plugins                     who has joined
//   GET  /api/plugins/{name}/definition   what the plugin registered
//   POST /api/calls                       makes a call, see CallApi
//   GET  /api/calls, /api/calls/{request_id}
//   POST /api/disconnect                  {"topic"?, "code"?, "abrupt"?} ends sockets
//   POST /api/crash_channel               {"topic"} ends the channels with phx_error
//   POST /api/close_channel               {"topic"} ends the channels with phx_close
// The caller has checked Host and Origin. Lives on the io thread; what it is given must outlive it.
class HttpApi {
 public:
  HttpApi(TopicDirectory& directory, CallBroker& broker)
      : directory_(directory), broker_(broker), calls_(directory, broker) {}

  void Serve(const HttpRequest& request, const HttpReply& reply);

 private:
  HttpResponse Get(const HttpRequest& request) const;
  HttpResponse Health() const;
  HttpResponse Plugins() const;
  HttpResponse Definition(const std::string& plugin, const std::string& version) const;
  HttpResponse Disconnect(const std::string& body);
  HttpResponse EndChannels(const std::string& body, bool crash);

  TopicDirectory& directory_;
  CallBroker& broker_;
  CallApi calls_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_HTTP_API_H_
