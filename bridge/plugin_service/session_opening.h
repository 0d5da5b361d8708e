#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_OPENING_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_OPENING_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/plugin_service/rpc_outbox.h"
#include "bridge/plugin_service/service_context.h"

namespace atomemo::plugin_service {

namespace pb = ::atomemo::plugin::v1;

// The session behind a stream, which lasts as long as the stream. On the io thread only.
struct SessionLink {
  // Set while the router has it.
  std::optional<std::string> id;
  // The stream ended before the io thread came to open the session.
  bool stream_ended = false;

  // Tells the router, once.
  void Close(ServiceContext& context, const RpcOutbox& outbox);
};

// The stream is over, on any thread: its session ends once what it has read is handled.
void EndSessionOf(const ContextPtr& context, const std::shared_ptr<RpcOutbox>& outbox,
                  const std::shared_ptr<SessionLink>& link);

// What the three threads that open a session pass on to each other.
struct SessionOpening {
  ContextPtr context;
  std::shared_ptr<RpcOutbox> outbox;
  std::shared_ptr<SessionLink> link;
  std::optional<PeerIdentity> peer;
  pb::OpenSessionRequest request;
  // As in router::SessionSpec.
  std::size_t max_queries = std::numeric_limits<std::size_t>::max();

  // What differs between the RPCs that are sessions.

  // The message of the stream that is this event.
  std::unique_ptr<google::protobuf::Message> (*wrap)(pb::SessionEvent event) = nullptr;
  RpcOutbox::Lane lane = RpcOutbox::Lane::kInOrder;
  // Adds to what `request` declares; answers with warnings. On the thread that checks definitions.
  std::function<absl::StatusOr<std::vector<pb::DefinitionViolation>>(SessionDraft& draft)>
      add_parts;
  // What is declared is wrong. On the thread that checks definitions.
  std::function<void(const absl::Status& why)> refuse;
  // Ends the stream for any other reason. On any thread.
  void (*end)(RpcOutbox& outbox, const absl::Status& why) = nullptr;
  // `opened` was sent. On the io thread.
  std::function<void(const std::string& session_id, const SessionOpening& opening)> on_opened;

  // Taken before the request was parsed.
  DefinitionQueue::Place place;

  // From here on OpenSession's own.
  std::shared_ptr<SessionDraft> draft;
  std::vector<pb::DefinitionViolation> warnings;
  std::size_t max_receive_bytes = 0;
};

// The size of the message that opens a session is checked, and its place taken, before it is
// parsed.
absl::Status TakePlace(ServiceContext& context, const grpc::ByteBuffer& message,
                       DefinitionQueue::Place& place);

// Opens the session, or ends the stream with what is wrong. On the completion queue's thread.
void OpenSession(std::shared_ptr<SessionOpening> opening);

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_SESSION_OPENING_H_
