#ifndef ATOMEMO_SDK_CPP_SRC_PLUGIN_STATE_H_
#define ATOMEMO_SDK_CPP_SRC_PLUGIN_STATE_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "atomemo/definition.h"
#include "atomemo/json.h"
#include "sdk-cpp/src/dispatcher.h"

namespace atomemo::internal {

// What a Plugin is made of. Constant while the plugin runs, but for the stop hook.
struct PluginState {
  // The official form, with "credentials", "tools" and "models".
  Json definition;
  Dispatcher dispatcher;
  // By tool name.
  std::map<std::string, Tool::Policy> policies;

  // Ends the run that is under way.
  absl::Mutex mutex;
  std::function<void()> stop ABSL_GUARDED_BY(mutex);
};

// See Plugin::Check.
absl::Status CheckHandlers(const Json& definition, const Dispatcher& dispatcher);

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_PLUGIN_STATE_H_
