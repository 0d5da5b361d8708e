#ifndef ATOMEMO_BRIDGE_HUB_CLOSED_REASON_H_
#define ATOMEMO_BRIDGE_HUB_CLOSED_REASON_H_

#include "bridge/hub/websocket.h"
#include "bridge/router/ports.h"

namespace atomemo::hub {

// The hub refused the key, or whoever is allowed at all (HTTP 401 or 403).
bool IsRefusal(const WebSocketClosed& closed);

// What the end of a connection, or of an attempt to make one, means for the state of the hub: the
// reason says what to do, and contains no secret. `uses_api_key`: the URL had one.
router::pb::HubState ExplainClose(const WebSocketClosed& closed, bool uses_api_key);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_CLOSED_REASON_H_
