#ifndef ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_WORKER_H_
#define ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_WORKER_H_

namespace atomemo::chaos {

// What the harness has to know of the plugin that it calls; chaos_worker.cc says what each does.
inline constexpr char kPluginName[] = "chaos-worker";
inline constexpr char kTopic[] = "debug_plugin:chaos-worker";
inline constexpr char kWorkTool[] = "work-on";
inline constexpr char kOverrunTool[] = "overrun";
inline constexpr int kOverrunTimeoutMs = 1000;
inline constexpr char kPickTool[] = "pick-one";
inline constexpr char kPickMethod[] = "list_choices";
inline constexpr char kCredential[] = "account-key";
// Of calls that fail because they were asked to.
inline constexpr char kWantedError[] = "chaos:wanted";

}  // namespace atomemo::chaos

#endif  // ATOMEMO_TESTS_INTEGRATION_CHAOS_CHAOS_WORKER_H_
