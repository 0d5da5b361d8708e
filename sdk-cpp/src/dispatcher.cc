#include "sdk-cpp/src/dispatcher.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "atomemo/error.h"
#include "sdk-cpp/src/check_answer.h"
#include "sdk-cpp/src/exception_error.h"

namespace atomemo::internal {

std::vector<Dispatcher::Target> Dispatcher::targets() const {
  std::vector<Target> targets;
  targets.reserve(handlers_.size());
  for (const auto& [target, handler] : handlers_) targets.push_back(target);
  return targets;
}

absl::StatusOr<Answer> Dispatcher::Run(CallData& call) const {
  const CallRequest& request = call.request;
  const auto handler = handlers_.find({request.kind, request.name, request.method});
  if (handler == handlers_.end()) return NoHandler(request);
  try {
    absl::StatusOr<Answer> answer = handler->second(call);
    if (!answer.ok()) return answer;
    absl::Status status = CheckAnswer(request, *answer);
    return status.ok() ? std::move(answer) : status;
  } catch (...) {
    return CurrentExceptionError();
  }
}

absl::Status Dispatcher::NoHandler(const CallRequest& request) const {
  // Any other handler under this name means that the name is right and the method is not.
  for (const auto& [target, handler] : handlers_) {
    if (target.name == request.name && IsOfTool(target.kind) == IsOfTool(request.kind)) {
      const std::string method =
          request.method.empty() ? "" : absl::StrCat(" named `", request.method, "`");
      return Error("sdk:method_not_supported",
                   absl::StrCat("`", request.name, "` has no handler", method, " for this call"));
    }
  }
  if (IsOfTool(request.kind)) {
    return Error("sdk:tool_not_found",
                 absl::StrCat("this plugin has no tool `", request.name, "`"));
  }
  if (credentials_.count(request.name) > 0) {
    return Error("sdk:method_not_supported", absl::StrCat("the credential `", request.name,
                                                          "` has no handlers: what the user "
                                                          "stored is used as it is"));
  }
  return Error("sdk:credential_not_found",
               absl::StrCat("this plugin has no credential `", request.name, "`"));
}

}  // namespace atomemo::internal
