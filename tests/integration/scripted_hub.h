#ifndef ATOMEMO_TESTS_INTEGRATION_SCRIPTED_HUB_H_
#define ATOMEMO_TESTS_INTEGRATION_SCRIPTED_HUB_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "bridge/hub/phoenix_frame.h"

namespace atomemo::integration {

// A hub that accepts every join, registration and heartbeat, and says otherwise what a test wants:
// texts that no real hub sends, too. Runs on a thread of its own; thread-safe.
class ScriptedHub {
 public:
  ScriptedHub();
  ~ScriptedHub();
  ScriptedHub(const ScriptedHub&) = delete;
  ScriptedHub& operator=(const ScriptedHub&) = delete;

  std::string url() const;

  // Sends a text on the last connection.
  void Say(absl::string_view text);

  // Waits for a frame whose event begins so and that no earlier call took, and takes it; an empty
  // frame if none comes.
  hub::PhoenixFrame Take(absl::string_view event);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace atomemo::integration

#endif  // ATOMEMO_TESTS_INTEGRATION_SCRIPTED_HUB_H_
