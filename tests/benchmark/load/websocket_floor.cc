// The floor of the hub's leg: websocketpp sends back what the load hub sends, and nothing else.
//
//   websocket_floor PORT TOPIC...

#include <cstdio>

#include "tests/benchmark/load/raw_websocket.h"

int main(int argc, char** argv) {
  using atomemo::benchmark::RawWebSockets;
  if (argc < 3) {
    std::fprintf(stderr, "usage: websocket_floor PORT TOPIC...\n");
    return 2;
  }
  RawWebSockets sockets(argv[1]);
  for (int i = 2; i < argc; ++i) sockets.Connect(argv[i], &RawWebSockets::Send);
  sockets.Run();
  return 0;
}
