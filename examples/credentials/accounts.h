#ifndef ATOMEMO_EXAMPLES_CREDENTIALS_ACCOUNTS_H_
#define ATOMEMO_EXAMPLES_CREDENTIALS_ACCOUNTS_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "atomemo/answers.h"
#include "atomemo/json.h"

namespace credentials {

// What an OAuth2 client is known by.
struct OAuth2Client {
  std::string id;
  std::string secret;
};

// An account service with API keys and Google-style OAuth2 (oauth2_provider.py is one). Errors have
// the codes "credentials:refused" (the service says no) and "credentials:unreachable".
class AccountService {
 public:
  // `base_url` without a path, for instance "https://accounts.example.com".
  AccountService(std::string base_url, absl::Duration timeout)
      : base_url_(std::move(base_url)), timeout_(timeout) {}

  // Where to send the user: asks for a refresh token as well, as Google does it.
  std::string AuthorizeUrl(absl::string_view client_id, absl::string_view redirect_uri,
                           absl::string_view state) const;

  absl::StatusOr<atomemo::OAuth2Tokens> ExchangeCode(const OAuth2Client& client,
                                                     absl::string_view code,
                                                     absl::string_view redirect_uri) const;
  absl::StatusOr<atomemo::OAuth2Tokens> Refresh(const OAuth2Client& client,
                                                absl::string_view refresh_token) const;

  // Who the bearer of a token is, or the owner of an API key.
  absl::StatusOr<atomemo::Json> UserInfo(absl::string_view access_token) const;
  absl::StatusOr<atomemo::Json> KeyOwner(absl::string_view api_key) const;

 private:
  std::string base_url_;
  absl::Duration timeout_;
};

}  // namespace credentials

#endif  // ATOMEMO_EXAMPLES_CREDENTIALS_ACCOUNTS_H_
