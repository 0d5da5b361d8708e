#ifndef ATOMEMO_EXAMPLES_CREDENTIALS_POSTGRES_H_
#define ATOMEMO_EXAMPLES_CREDENTIALS_POSTGRES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace credentials {

// How to log in to a database. `host` may be the folder of a Unix socket.
struct PostgresLogin {
  std::string host;
  int port = 5432;
  std::string database;
  std::string user;
  std::string password;
};

// What a database says of itself.
struct DatabaseFacts {
  std::string user;
  std::string version;
  std::int64_t bytes = 0;
};

// Logs in and asks. "credentials:login_refused" if the server does not let the user in,
// "credentials:unreachable" if there is no server; no message has the password in it.
absl::StatusOr<DatabaseFacts> AskDatabase(const PostgresLogin& login, absl::Duration timeout);

}  // namespace credentials

#endif  // ATOMEMO_EXAMPLES_CREDENTIALS_POSTGRES_H_
