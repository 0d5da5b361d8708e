#include "examples/credentials/accounts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "atomemo/error.h"
#include "examples/credentials/http_client.h"

namespace credentials {
namespace {

using ::atomemo::Error;
using ::atomemo::Json;
using ::atomemo::OAuth2Tokens;

std::string TextAt(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// Sends a request and reads the answer as a JSON object. The service's error text is passed on: by
// OAuth2's rules it has no secrets in it.
absl::StatusOr<Json> Ask(const HttpRequest& request, absl::Duration timeout) {
  const absl::StatusOr<HttpResponse> response = Send(request, timeout);
  if (!response.ok()) {
    return Error(
        "credentials:unreachable",
        absl::StrCat("The account service does not answer: ", response.status().message(), "."));
  }
  const Json body = Json::parse(response->body, nullptr, /*allow_exceptions=*/false);
  if (response->status == 200 && body.is_object()) return body;
  const std::string reason = body.is_object() ? TextAt(body, "error") : "";
  return Error("credentials:refused",
               absl::StrCat("The account service refuses (HTTP ", response->status,
                            reason.empty() ? "" : ", ", reason, ")."));
}

absl::StatusOr<OAuth2Tokens> AskForTokens(const HttpRequest& request, absl::Duration timeout) {
  const absl::StatusOr<Json> body = Ask(request, timeout);
  if (!body.ok()) return body.status();
  OAuth2Tokens tokens;
  tokens.access_token = TextAt(*body, "access_token");
  if (tokens.access_token->empty()) {
    return Error("credentials:refused", "The account service's answer has no access token.");
  }
  // A refresh answers without a new refresh token: the old one stays.
  if (body->contains("refresh_token")) tokens.refresh_token = TextAt(*body, "refresh_token");
  if (const auto seconds = body->find("expires_in");
      seconds != body->end() && seconds->is_number_integer()) {
    tokens.expires_at = absl::Now() + absl::Seconds(seconds->get<std::int64_t>());
  }
  return tokens;
}

}  // namespace

std::string AccountService::AuthorizeUrl(absl::string_view client_id,
                                         absl::string_view redirect_uri,
                                         absl::string_view state) const {
  return absl::StrCat(absl::StripSuffix(base_url_, "/"), "/authorize?",
                      UrlEncoded({{"response_type", "code"},
                                  {"client_id", std::string(client_id)},
                                  {"redirect_uri", std::string(redirect_uri)},
                                  {"scope", "openid profile email"},
                                  {"state", std::string(state)},
                                  {"access_type", "offline"},
                                  {"prompt", "consent"}}));
}

absl::StatusOr<OAuth2Tokens> AccountService::ExchangeCode(const OAuth2Client& client,
                                                          absl::string_view code,
                                                          absl::string_view redirect_uri) const {
  return AskForTokens({absl::StrCat(absl::StripSuffix(base_url_, "/"), "/token"),
                       /*authorization=*/"",
                       {{"grant_type", "authorization_code"},
                        {"code", std::string(code)},
                        {"redirect_uri", std::string(redirect_uri)},
                        {"client_id", client.id},
                        {"client_secret", client.secret}}},
                      timeout_);
}

absl::StatusOr<OAuth2Tokens> AccountService::Refresh(const OAuth2Client& client,
                                                     absl::string_view refresh_token) const {
  return AskForTokens({absl::StrCat(absl::StripSuffix(base_url_, "/"), "/token"),
                       /*authorization=*/"",
                       {{"grant_type", "refresh_token"},
                        {"refresh_token", std::string(refresh_token)},
                        {"client_id", client.id},
                        {"client_secret", client.secret}}},
                      timeout_);
}

absl::StatusOr<Json> AccountService::UserInfo(absl::string_view access_token) const {
  return Ask({absl::StrCat(absl::StripSuffix(base_url_, "/"), "/userinfo"),
              absl::StrCat("Bearer ", access_token),
              {}},
             timeout_);
}

absl::StatusOr<Json> AccountService::KeyOwner(absl::string_view api_key) const {
  return Ask({absl::StrCat(absl::StripSuffix(base_url_, "/"), "/key-owner"),
              absl::StrCat("ApiKey ", api_key),
              {}},
             timeout_);
}

}  // namespace credentials
