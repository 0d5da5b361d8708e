#include "examples/credentials/postgres.h"

#include <algorithm>
#include <exception>
#include <pqxx/pqxx>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "atomemo/error.h"

namespace credentials {
namespace {

// A value of a connection string.
std::string Quoted(const std::string& value) {
  return absl::StrCat("'", absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string ConnectionString(const PostgresLogin& login, absl::Duration timeout) {
  // libpq takes 0 for "for ever", and waits for two seconds at least.
  const auto seconds = std::max<std::int64_t>(2, absl::ToInt64Seconds(timeout));
  return absl::StrCat("host=", Quoted(login.host), " port=", login.port,
                      " dbname=", Quoted(login.database), " user=", Quoted(login.user),
                      " password=", Quoted(login.password), " connect_timeout=", seconds);
}

}  // namespace

absl::StatusOr<DatabaseFacts> AskDatabase(const PostgresLogin& login, absl::Duration timeout) {
  try {
    pqxx::connection connection(ConnectionString(login, timeout));
    pqxx::nontransaction query(connection);
    const auto row = query.exec1(
        "SELECT current_user, current_setting('server_version'),"
        " pg_database_size(current_database())");
    return DatabaseFacts{row[0].as<std::string>(), row[1].as<std::string>(),
                         row[2].as<std::int64_t>()};
  } catch (const pqxx::broken_connection& error) {
    // The server's own refusals begin with FATAL; all else is the way there.
    const bool refused = absl::StrContains(error.what(), "FATAL:");
    return refused ? atomemo::Error("credentials:login_refused",
                                    absl::StrCat("The database does not let `", login.user,
                                                 "` in: check user, password and database."))
                   : atomemo::Error("credentials:unreachable",
                                    absl::StrCat("No PostgreSQL answers at ", login.host, ":",
                                                 login.port, "."));
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace credentials
