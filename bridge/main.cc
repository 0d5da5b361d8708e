#include "bridge/cli/command_line.h"

int main(int argc, char** argv) { return atomemo::cli::Main(argc, argv); }
