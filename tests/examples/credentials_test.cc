// The example plugin against a real account service and a real PostgreSQL (see
// examples/credentials/with-services.sh).

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "atomemo/testing/fake_bridge.h"
#include "examples/credentials/credentials_plugin.h"
#include "examples/credentials/http_client.h"

namespace credentials {
namespace {

using ::atomemo::ErrorCode;
using ::atomemo::Json;
using ::atomemo::OAuth2Tokens;
using ::atomemo::testing::CallOptions;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kRedirectUri[] = "http://localhost/back?from=hub";

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Where nothing listens: port 1 needs root, and no service has it.
constexpr char kNobody[] = "http://127.0.0.1:1";

class CredentialsTest : public ::testing::Test {
 protected:
  Json Login() const {
    int port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(Env("PGPORT"), &port));
    return {{"host", Env("PGHOST")},
            {"port", port},
            {"database", Env("PGDATABASE")},
            {"user", Env("PGUSER")},
            {"password", Env("PGPASSWORD")}};
  }

  Json Client() const {
    return {{"base_url", Env("ACCOUNT_SERVICE_URL")},
            {"client_id", "example-client"},
            {"client_secret", "example-secret"}};
  }

  // Follows the authorization's URL as the user's browser would, and returns the code that the
  // service gives to the hub.
  std::string CodeFromUser() {
    const auto url =
        bridge_.BuildAuthorizeUrl("account-oauth2", Client(), kRedirectUri, "state 1&2");
    EXPECT_TRUE(url.ok()) << url.status();
    const auto response = Send({*url, "", {}}, absl::Seconds(10));
    EXPECT_EQ(response->status, 302);
    const std::string location = response->location;
    EXPECT_THAT(location, StartsWith(kRedirectUri));
    EXPECT_THAT(location, HasSubstr("state=state+1%262"));
    const std::vector<std::string> parts = absl::StrSplit(location, absl::ByAnyChar("?&"));
    for (const std::string& part : parts) {
      if (absl::StartsWith(part, "code=")) return part.substr(5);
    }
    return "";
  }

  absl::StatusOr<OAuth2Tokens> Tokens() {
    return bridge_.GetToken("account-oauth2", Client(), CodeFromUser(), kRedirectUri);
  }

  const atomemo::Plugin plugin_ = MakePlugin();
  atomemo::testing::FakeBridge bridge_{plugin_};
};

TEST_F(CredentialsTest, AGoodApiKeyHasAnOwner) {
  const auto answer = bridge_.Authenticate(
      "account-api-key", {{"base_url", Env("ACCOUNT_SERVICE_URL")}, {"api_key", "example-key"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, (Json{{"owner", "Eva Example"}}));
}

TEST_F(CredentialsTest, ABadApiKeyIsRefused) {
  const auto answer = bridge_.Authenticate(
      "account-api-key", {{"base_url", Env("ACCOUNT_SERVICE_URL")}, {"api_key", "wrong-key"}});
  EXPECT_EQ(ErrorCode(answer.status()), "credentials:refused");
  EXPECT_THAT(std::string(answer.status().message()), Not(HasSubstr("wrong-key")));
}

TEST_F(CredentialsTest, AnAbsentServiceIsToldApartFromARefusal) {
  const auto answer =
      bridge_.Authenticate("account-api-key", {{"base_url", kNobody}, {"api_key", "k"}});
  EXPECT_EQ(ErrorCode(answer.status()), "credentials:unreachable");
}

TEST_F(CredentialsTest, OnlyHttpIsSpoken) {
  const auto answer =
      bridge_.Authenticate("account-api-key", {{"base_url", "file:///etc"}, {"api_key", "k"}});
  EXPECT_EQ(ErrorCode(answer.status()), "credentials:unreachable");
}

TEST_F(CredentialsTest, AGoodLoginIsTriedOutOnTheDatabase) {
  const auto answer = bridge_.Authenticate("postgres-login", Login());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->at("user"), Env("PGUSER"));
}

TEST_F(CredentialsTest, ABadPasswordIsRefused) {
  Json login = Login();
  login["password"] = "it's wr\\ong";
  const auto answer = bridge_.Authenticate("postgres-login", login);
  EXPECT_EQ(ErrorCode(answer.status()), "credentials:login_refused");
  EXPECT_THAT(std::string(answer.status().message()), Not(HasSubstr("wr\\ong")));
}

TEST_F(CredentialsTest, AnAbsentDatabaseIsToldApartFromARefusal) {
  Json login = Login();
  login["port"] = 1;
  EXPECT_EQ(ErrorCode(bridge_.Authenticate("postgres-login", login).status()),
            "credentials:unreachable");
}

TEST_F(CredentialsTest, ACodeBuysTokensThatOpenTheAccount) {
  const auto tokens = Tokens();
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_GT(*tokens->expires_at, absl::Now());
  Json credential = Client();
  credential["access_token"] = *tokens->access_token;
  const auto user = bridge_.Authenticate("account-oauth2", credential);
  ASSERT_TRUE(user.ok()) << user.status();
  EXPECT_EQ(user->at("email"), "eva@example.com");
}

TEST_F(CredentialsTest, ACodeServesOnce) {
  const std::string code = CodeFromUser();
  EXPECT_TRUE(bridge_.GetToken("account-oauth2", Client(), code, kRedirectUri).ok());
  const auto again = bridge_.GetToken("account-oauth2", Client(), code, kRedirectUri);
  EXPECT_EQ(ErrorCode(again.status()), "credentials:refused");
  EXPECT_THAT(std::string(again.status().message()), HasSubstr("invalid_grant"));
}

TEST_F(CredentialsTest, AWrongClientSecretIsRefused) {
  Json client = Client();
  client["client_secret"] = "guessed";
  const auto tokens = bridge_.GetToken("account-oauth2", client, CodeFromUser(), kRedirectUri);
  EXPECT_EQ(ErrorCode(tokens.status()), "credentials:refused");
}

TEST_F(CredentialsTest, ARefreshTokenBuysAFreshAccessTokenAndStays) {
  const auto tokens = Tokens();
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  Json credential = Client();
  credential["refresh_token"] = *tokens->refresh_token;
  const auto fresh = bridge_.RefreshToken("account-oauth2", credential);
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  EXPECT_NE(fresh->access_token, tokens->access_token);
  EXPECT_EQ(fresh->refresh_token, std::nullopt);
  credential["access_token"] = *fresh->access_token;
  EXPECT_TRUE(bridge_.Authenticate("account-oauth2", credential).ok());
}

TEST_F(CredentialsTest, WithoutARefreshTokenTheUserMustAuthorizeFirst) {
  EXPECT_EQ(ErrorCode(bridge_.RefreshToken("account-oauth2", Client()).status()),
            "credentials:not_authorized");
}

TEST_F(CredentialsTest, ToolsUseTheCredentialThatTheUserChose) {
  Json account = Client();
  account["access_token"] = *Tokens()->access_token;
  const CallOptions stored =
      CallOptions().Credential("cred_1", account).Credential("cred_2", Login());
  EXPECT_EQ(bridge_.Invoke("who-am-i", {{"credential_id", "cred_1"}}, stored)->at("name"),
            "Eva Example");
  EXPECT_GT(bridge_.Invoke("database-size", {{"credential_id", "cred_2"}}, stored)->at("bytes"), 0);
  EXPECT_EQ(ErrorCode(bridge_.Invoke("who-am-i", {{"credential_id", "cred_3"}}, stored).status()),
            "sdk:not_found");
}

}  // namespace
}  // namespace credentials
