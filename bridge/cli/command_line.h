#ifndef ATOMEMO_BRIDGE_CLI_COMMAND_LINE_H_
#define ATOMEMO_BRIDGE_CLI_COMMAND_LINE_H_

namespace atomemo::cli {

// The exit codes of all commands.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
// The command line, a file or an environment variable is wrong; nothing was started.
inline constexpr int kExitUsage = 2;

// The whole program: parses the command line and runs the command. Returns the exit code.
int Main(int argc, char** argv);

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_COMMAND_LINE_H_
