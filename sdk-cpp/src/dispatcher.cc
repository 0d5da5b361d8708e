#include "sdk-cpp/src/dispatcher.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "atomemo/error.h"
#include "sdk-cpp/src/check_answer.h"
#include "sdk-cpp/src/exception_error.h"

namespace atomemo::internal {
namespace {

bool IsCredentialKind(CallKind kind) {
  return kind == CallKind::kAuthenticate || kind == CallKind::kBuildAuthorizeUrl ||
         kind == CallKind::kGetToken || kind == CallKind::kRefreshToken;
}

}  // namespace

template <typename CallType, typename Typed>
void Dispatcher::Bind(Target target, Typed handler) {
  if (!handler) return;
  handlers_[std::move(target)] =
      [handler = std::move(handler)](CallData& data) -> absl::StatusOr<Answer> {
    const CallType call(data);
    auto answer = handler(call);
    if (!answer.ok()) return answer.status();
    return Answer(*std::move(answer));
  };
}

void Dispatcher::Add(std::string tool, InvokeHandler handler) {
  Bind<Call>({CallKind::kInvoke, std::move(tool), ""}, std::move(handler));
}

void Dispatcher::Add(std::string tool, std::string method, ListResourcesHandler handler) {
  Bind<ResourceCall>({CallKind::kListResources, std::move(tool), std::move(method)},
                     std::move(handler));
}

void Dispatcher::Add(std::string tool, std::string method, MapResourceHandler handler) {
  Bind<ResourceCall>({CallKind::kMapResource, std::move(tool), std::move(method)},
                     std::move(handler));
}

void Dispatcher::Add(std::string credential, AuthenticateHandler handler) {
  Bind<CredentialCall>({CallKind::kAuthenticate, std::move(credential), ""}, std::move(handler));
}

void Dispatcher::Add(std::string credential, BuildAuthorizeUrlHandler handler) {
  Bind<OAuth2Call>({CallKind::kBuildAuthorizeUrl, std::move(credential), ""}, std::move(handler));
}

void Dispatcher::AddGetToken(std::string credential, GetTokenHandler handler) {
  Bind<OAuth2Call>({CallKind::kGetToken, std::move(credential), ""}, std::move(handler));
}

void Dispatcher::AddRefreshToken(std::string credential, RefreshTokenHandler handler) {
  Bind<CredentialCall>({CallKind::kRefreshToken, std::move(credential), ""}, std::move(handler));
}

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
    if (target.name == request.name &&
        IsCredentialKind(target.kind) == IsCredentialKind(request.kind)) {
      const std::string method =
          request.method.empty() ? "" : absl::StrCat(" named `", request.method, "`");
      return Error("sdk:method_not_supported",
                   absl::StrCat("`", request.name, "` has no handler", method, " for this call"));
    }
  }
  if (IsCredentialKind(request.kind) && credentials_.count(request.name) > 0) {
    return Error("sdk:method_not_supported", absl::StrCat("the credential `", request.name,
                                                          "` has no handlers: what the user "
                                                          "stored is used as it is"));
  }
  return IsCredentialKind(request.kind)
             ? Error("sdk:credential_not_found",
                     absl::StrCat("this plugin has no credential `", request.name, "`"))
             : Error("sdk:tool_not_found",
                     absl::StrCat("this plugin has no tool `", request.name, "`"));
}

}  // namespace atomemo::internal
