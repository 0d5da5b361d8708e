#ifndef ATOMEMO_SDK_CPP_SRC_DISPATCHER_H_
#define ATOMEMO_SDK_CPP_SRC_DISPATCHER_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk-cpp/src/call_data.h"

namespace atomemo::internal {

// The plugin's handlers by what they serve, and the one place where they are run. Filled before it
// is used; Run may then be called from several threads at once.
class Dispatcher {
 public:
  // What a handler serves. `method` is empty for kinds without one.
  struct Target {
    CallKind kind;
    std::string name;
    std::string method;

    friend bool operator<(const Target& a, const Target& b) {
      return std::tie(a.kind, a.name, a.method) < std::tie(b.kind, b.name, b.method);
    }
  };

  // A credential that the definition has, with handlers or without.
  void DeclareCredential(std::string credential) { credentials_.insert(std::move(credential)); }

  // An empty handler is not added. A second one for a target replaces the first.
  template <typename Answered, typename CallType>
  void Add(CallKind kind, absl::string_view name, absl::string_view method,
           std::function<absl::StatusOr<Answered>(const CallType&)> handler) {
    if (!handler) return;
    handlers_[{kind, std::string(name), std::string(method)}] =
        [handler = std::move(handler)](CallData& data) -> absl::StatusOr<Answer> {
      absl::StatusOr<Answered> answer = handler(CallType(data));
      if (!answer.ok()) return answer.status();
      return Answer(*std::move(answer));
    };
  }

  bool Has(const Target& target) const { return handlers_.count(target) > 0; }
  std::vector<Target> targets() const;

  // Runs the handler for a call. An exception becomes "sdk:exception" with the exception's type as
  // name. Unknown targets are answered with "sdk:tool_not_found", "sdk:credential_not_found" or
  // "sdk:method_not_supported", answers of the wrong shape with "sdk:invalid_return". Never throws.
  absl::StatusOr<Answer> Run(CallData& call) const;

 private:
  using Handler = std::function<absl::StatusOr<Answer>(CallData&)>;

  absl::Status NoHandler(const CallRequest& request) const;

  std::map<Target, Handler> handlers_;
  std::set<std::string> credentials_;
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_DISPATCHER_H_
