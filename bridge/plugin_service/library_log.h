#ifndef ATOMEMO_BRIDGE_PLUGIN_SERVICE_LIBRARY_LOG_H_
#define ATOMEMO_BRIDGE_PLUGIN_SERVICE_LIBRARY_LOG_H_

namespace atomemo::plugin_service {

// Has what gRPC and Protobuf would write on stderr themselves, and wait for whoever reads it, go to
// the log. For the whole process; before other threads start.
void LogForLibraries();

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_BRIDGE_PLUGIN_SERVICE_LIBRARY_LOG_H_
