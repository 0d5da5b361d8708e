#ifndef ATOMEMO_BRIDGE_CLI_LIMIT_FLAGS_H_
#define ATOMEMO_BRIDGE_CLI_LIMIT_FLAGS_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "bridge/app.h"

namespace atomemo::cli {

// The bridge's bounds, which all follow from --memory unless they are given. bridge/docs/limits.md
// lists them.
class LimitFlags {
 public:
  // `options` outlives this object.
  void AddTo(CLI::App& app, AppOptions& options);

  // Sets the bounds that no flag gave. After parsing.
  absl::Status Derive();

 private:
  // A bound is so large a part of the memory, or one for so many bytes of it.
  struct Bound {
    std::size_t* value;
    const CLI::Option* given;  // null: there is no flag
    std::size_t parts;         // of kParts; 0: a count
    std::size_t bytes_each;
  };

  std::size_t memory_ = 0;
  std::vector<Bound> bounds_;
};

}  // namespace atomemo::cli

#endif  // ATOMEMO_BRIDGE_CLI_LIMIT_FLAGS_H_
