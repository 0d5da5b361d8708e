#ifndef ATOMEMO_BRIDGE_DEVHUB_STATUS_PAGE_H_
#define ATOMEMO_BRIDGE_DEVHUB_STATUS_PAGE_H_

#include <string>

#include "bridge/devhub/call_broker.h"
#include "bridge/devhub/topic_directory.h"

namespace atomemo::devhub {

// The hub's page for people: who has joined, and the latest calls. Names only, no payload.
std::string StatusPage(const TopicDirectory& directory, const CallBroker& broker);

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_STATUS_PAGE_H_
