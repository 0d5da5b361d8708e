// A hub that calls plugins as fast as they answer, and measures them; see driver.h for the commands
// that it reads from stdin. Ends with stdin.
//
//   load_hub [--content text|records] [--heartbeat-delay-ms N]
//
// Its first line on stdout is {"port": N}.

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/benchmark/load/epoll_loop.h"
#include "tests/benchmark/load/phoenix_hub.h"

namespace atomemo::benchmark {
namespace {

// Gives whole lines of a descriptor to a function.
class LineReader {
 public:
  // False at the end.
  template <typename OnLine>
  bool Read(int descriptor, const OnLine& on_line) {
    char buffer[1 << 16];
    const ssize_t count = read(descriptor, buffer, sizeof(buffer));
    if (count <= 0) return false;
    text_.append(buffer, static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = text_.find('\n')) != std::string::npos;) {
      const std::string line = text_.substr(0, end);
      text_.erase(0, end + 1);
      on_line(line);
    }
    return true;
  }

 private:
  std::string text_;
};

int Main(int argc, char** argv) {
  std::string content = "text";
  int heartbeat_delay = 0;
  CLI::App app("A hub that calls plugins and measures them");
  app.add_option("--content", content)->check(CLI::IsMember({"text", "records"}));
  app.add_option("--heartbeat-delay-ms", heartbeat_delay);
  CLI11_PARSE(app, argc, argv);

  PhoenixHub hub({*ParseContent(content), absl::Milliseconds(heartbeat_delay)});
  EpollLoop loop;
  WebSocketServer server(loop, hub);
  const absl::StatusOr<std::uint16_t> port = server.Listen();
  if (!port.ok()) {
    std::fprintf(stderr, "load_hub: %s\n", port.status().ToString().c_str());
    return 1;
  }
  PrintLine(absl::StrCat(R"({"port":)", *port, "}"));
  LineReader commands;
  loop.Add(STDIN_FILENO, EPOLLIN, [&](std::uint32_t) {
    const auto run = [&](const std::string& line) { hub.driver().OnCommand(line); };
    if (!commands.Read(STDIN_FILENO, run)) loop.Stop();
  });
  loop.Run([&] {
    const absl::Duration idle = hub.Tick();
    server.Flush();
    return idle;
  });
  return 0;
}

}  // namespace
}  // namespace atomemo::benchmark

int main(int argc, char** argv) { return atomemo::benchmark::Main(argc, argv); }
