#ifndef ATOMEMO_BRIDGE_BASE_SIGNAL_FREE_THREAD_H_
#define ATOMEMO_BRIDGE_BASE_SIGNAL_FREE_THREAD_H_

#include <functional>
#include <thread>

namespace atomemo::base {

// Starts a thread that takes no signals: those are for the threads that wait for them.
std::thread StartWithoutSignals(std::function<void()> run);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_SIGNAL_FREE_THREAD_H_
