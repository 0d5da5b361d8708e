#include "examples/credentials/credentials_plugin.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "examples/credentials/accounts.h"
#include "examples/credentials/postgres.h"

namespace credentials {
namespace {

using namespace atomemo;  // NOLINT(google-build-using-namespace): as plugin authors write.

// A stored field; empty if it is missing.
std::string Field(const Json& credential, const char* name) {
  const auto it = credential.find(name);
  return it != credential.end() && it->is_string() ? it->get<std::string>() : "";
}

AccountService ServiceOf(const Call& call, const Json& credential) {
  return AccountService(Field(credential, "base_url"),
                        std::min(call.time_left(), absl::Seconds(10)));
}

OAuth2Client ClientOf(const Json& credential) {
  return {Field(credential, "client_id"), Field(credential, "client_secret")};
}

String BaseUrl() {
  return String("base_url")
      .DisplayName("Account service")
      .Required()
      .Ui(Input().Placeholder("https://accounts.example.com"));
}

// ---- An API key

absl::StatusOr<Json> CheckApiKey(const CredentialCall& call) {
  return ServiceOf(call, call.credential()).KeyOwner(Field(call.credential(), "api_key"));
}

Credential ApiKeyCredential() {
  return Credential("account-api-key")
      .DisplayName("Account API key")
      .Description("A key that the account service has given out")
      .Icon("🗝")
      .Parameter(BaseUrl())
      .Parameter(EncryptedString("api_key").DisplayName("API key").Required().Ui(EncryptedInput()))
      .Authenticate(&CheckApiKey);
}

// ---- A user name and a password

absl::StatusOr<DatabaseFacts> Ask(const Call& call, const Json& credential) {
  PostgresLogin login;
  login.host = Field(credential, "host");
  const auto port = credential.find("port");
  if (port != credential.end() && port->is_number_integer()) login.port = port->get<int>();
  login.database = Field(credential, "database");
  login.user = Field(credential, "user");
  login.password = Field(credential, "password");
  return AskDatabase(login, std::min(call.time_left(), absl::Seconds(10)));
}

absl::StatusOr<Json> CheckLogin(const CredentialCall& call) {
  const auto facts = Ask(call, call.credential());
  if (!facts.ok()) return facts.status();
  return Json{{"user", facts->user}, {"server_version", facts->version}};
}

Credential PostgresCredential() {
  return Credential("postgres-login")
      .DisplayName("PostgreSQL login")
      .Description("A user name and a password, tried out on the database itself")
      .Icon("🐘")
      .Parameter(String("host").DisplayName("Host").Required().Default("localhost").Ui(Input()))
      .Parameter(Integer("port").DisplayName("Port").Default(5432).Minimum(1).Maximum(65535).Ui(
          NumberInput()))
      .Parameter(String("database").DisplayName("Database").Required().Ui(Input()))
      .Parameter(String("user").DisplayName("User").Required().Ui(Input()))
      .Parameter(
          EncryptedString("password").DisplayName("Password").Required().Ui(EncryptedInput()))
      .Authenticate(&CheckLogin);
}

// ---- OAuth2 with a refresh token

absl::StatusOr<Json> CheckAccessToken(const CredentialCall& call) {
  return ServiceOf(call, call.credential()).UserInfo(Field(call.credential(), "access_token"));
}

absl::StatusOr<std::string> AuthorizeUrl(const OAuth2Call& call) {
  return ServiceOf(call, call.credential())
      .AuthorizeUrl(Field(call.credential(), "client_id"), call.redirect_uri(), call.state());
}

absl::StatusOr<OAuth2Tokens> ExchangeCode(const OAuth2Call& call) {
  return ServiceOf(call, call.credential())
      .ExchangeCode(ClientOf(call.credential()), call.code(), call.redirect_uri());
}

absl::StatusOr<OAuth2Tokens> Refresh(const CredentialCall& call) {
  const std::string refresh_token = Field(call.credential(), "refresh_token");
  if (refresh_token.empty()) {
    return Error("credentials:not_authorized", "The user has not given access yet.");
  }
  return ServiceOf(call, call.credential()).Refresh(ClientOf(call.credential()), refresh_token);
}

Credential OAuth2Credential() {
  return Credential("account-oauth2")
      .DisplayName("Account (OAuth2)")
      .Description("Access that a user of the account service grants, renewed with a refresh token")
      .Icon("🔐")
      .Parameter(BaseUrl())
      .OAuth2()
      .Authenticate(&CheckAccessToken)
      .BuildAuthorizeUrl(&AuthorizeUrl)
      .GetToken(&ExchangeCode)
      .RefreshToken(&Refresh);
}

// ---- Tools that use them

Tool WhoAmITool() {
  return Tool("who-am-i")
      .DisplayName("Who am I")
      .Description("The user who gave access to the account service")
      .Icon("👤")
      .Parameter(CredentialId("credential_id", "account-oauth2")
                     .DisplayName("Account")
                     .Required()
                     .Ui(CredentialSelect()))
      .RetrySafe()
      .Invoke([](const Call& call) -> absl::StatusOr<Json> {
        const auto credential = call.Credential("credential_id");
        if (!credential.ok()) return credential.status();
        return ServiceOf(call, *credential).UserInfo(Field(*credential, "access_token"));
      });
}

Tool DatabaseSizeTool() {
  return Tool("database-size")
      .DisplayName("Database size")
      .Description("How large a PostgreSQL database is")
      .Icon("🐘")
      .Parameter(CredentialId("credential_id", "postgres-login")
                     .DisplayName("Login")
                     .Required()
                     .Ui(CredentialSelect()))
      .RetrySafe()
      .Invoke([](const Call& call) -> absl::StatusOr<Json> {
        const auto credential = call.Credential("credential_id");
        if (!credential.ok()) return credential.status();
        const auto facts = Ask(call, *credential);
        if (!facts.ok()) return facts.status();
        return Json{{"bytes", facts->bytes}, {"server_version", facts->version}};
      });
}

}  // namespace

Plugin MakePlugin() {
  Plugin plugin(PluginInfo("credentials")
                    .Version("1.0.0")
                    .DisplayName("Credentials")
                    .Description("Three kinds of credentials, each checked for real")
                    .Icon("🔑")
                    .Author("Atomemo examples")
                    .Email("examples@example.com"));
  plugin.AddCredential(ApiKeyCredential())
      .AddCredential(PostgresCredential())
      .AddCredential(OAuth2Credential())
      .AddTool(WhoAmITool())
      .AddTool(DatabaseSizeTool());
  return plugin;
}

}  // namespace credentials
