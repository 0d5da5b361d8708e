#ifndef ATOMEMO_HANDLERS_H_
#define ATOMEMO_HANDLERS_H_

// The functions that a plugin author writes. They run on the plugin's worker threads, several at
// once. An exception that leaves one becomes an error answer.

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "atomemo/answers.h"
#include "atomemo/call.h"
#include "atomemo/json.h"

namespace atomemo {

// Runs a tool; any JSON value is an answer.
using InvokeHandler = std::function<absl::StatusOr<Json>(const Call&)>;
// Lists the choices of a resource_locator parameter.
using ListResourcesHandler = std::function<absl::StatusOr<ResourceList>(const ResourceCall&)>;
// Tells the fields of a resource_mapper parameter.
using MapResourceHandler = std::function<absl::StatusOr<ResourceMapping>(const ResourceCall&)>;
// Checks a credential; answers with an object, for models' credentials with an LlmAdapter.
using AuthenticateHandler = std::function<absl::StatusOr<Json>(const CredentialCall&)>;
// Answers with the URL to send the user to.
using BuildAuthorizeUrlHandler = std::function<absl::StatusOr<std::string>(const OAuth2Call&)>;
// Exchanges the code for tokens.
using GetTokenHandler = std::function<absl::StatusOr<OAuth2Tokens>(const OAuth2Call&)>;
// Makes a fresh access token from the stored refresh token.
using RefreshTokenHandler = std::function<absl::StatusOr<OAuth2Tokens>(const CredentialCall&)>;

}  // namespace atomemo

#endif  // ATOMEMO_HANDLERS_H_
