#ifndef ATOMEMO_BRIDGE_JOURNAL_OPEN_CALLS_H_
#define ATOMEMO_BRIDGE_JOURNAL_OPEN_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/journal/call_note.h"
#include "bridge/router/ports.h"

namespace atomemo::journal {

// Topic and request_id; can be looked up without owning them.
struct CallKey {
  std::string topic;
  std::string request_id;

  using View = std::pair<absl::string_view, absl::string_view>;
  View view() const { return {topic, request_id}; }
};
inline CallKey::View KeyView(const CallKey& key) { return key.view(); }
inline CallKey::View KeyView(CallKey::View key) { return key; }

struct CallKeyHash {
  using is_transparent = void;
  template <typename Key>
  std::size_t operator()(const Key& key) const {
    return absl::Hash<CallKey::View>()(KeyView(key));
  }
};
struct CallKeyEq {
  using is_transparent = void;
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return KeyView(a) == KeyView(b);
  }
};
template <typename Value>
using CallMap = absl::flat_hash_map<CallKey, Value, CallKeyHash, CallKeyEq>;
using CallSet = absl::flat_hash_set<CallKey, CallKeyHash, CallKeyEq>;

// The calls that are open after all notes so far: what a journal is about.
//
// To apply notes twice, in their order, does no harm. Not thread-safe.
class OpenCalls {
 public:
  // False if the note changes nothing: the call is not known, and not accepted by it.
  bool Apply(const CallNote& note);

  // Notes that make all of them anew, as lines of the file.
  std::string Lines() const;

  std::vector<router::JournaledCall> Calls(absl::Time now) const;
  CallSet Keys() const;

  std::size_t size() const { return calls_.size(); }
  void clear() { calls_.clear(); }

 private:
  struct Entry {
    std::string event;
    std::int64_t due_ms = 0;
    bool started = false;
    std::string instance_id;
    std::string error;  // empty: none
  };

  CallMap<Entry> calls_;
};

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_OPEN_CALLS_H_
