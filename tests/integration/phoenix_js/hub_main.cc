// A development hub for tests in other languages: takes any free port, prints it, and serves until
// its standard input ends, so that it never outlives the test that started it.
#include <iostream>
#include <string>

#include "bridge/devhub/dev_hub.h"

int main() {
  atomemo::devhub::DevHubOptions options;
  options.port = 0;
  atomemo::devhub::DevHub hub(options);
  const absl::StatusOr<std::uint16_t> port = hub.Start();
  if (!port.ok()) {
    std::cerr << port.status().message() << "\n";
    return 1;
  }
  std::cout << *port << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
  }
  hub.Stop();
  return 0;
}
