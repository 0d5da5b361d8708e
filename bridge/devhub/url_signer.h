#ifndef ATOMEMO_BRIDGE_DEVHUB_URL_SIGNER_H_
#define ATOMEMO_BRIDGE_DEVHUB_URL_SIGNER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/devhub/query.h"

namespace atomemo::devhub {

// Makes and checks the queries of presigned URLs: an expiry (unix seconds) and an HMAC-SHA256 over
// method, path and expiry. Immutable, so thread-safe.
class UrlSigner {
 public:
  UrlSigner(std::string secret, absl::Duration lifetime);

  // `expires=...&signature=...`, which allows `method` on `path` from `now` on.
  std::string Sign(absl::string_view method, absl::string_view path, absl::Time now) const;

  // PERMISSION_DENIED, with the reason, unless `query` allows `method` on `path` at `now`.
  absl::Status Check(absl::string_view method, absl::string_view path, const Query& query,
                     absl::Time now) const;

 private:
  std::string Signature(absl::string_view method, absl::string_view path,
                        absl::string_view expires) const;

  const std::string secret_;
  const absl::Duration lifetime_;
};

// Compares secrets in a time that does not depend on where they differ.
bool SecretsEqual(absl::string_view a, absl::string_view b);

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_URL_SIGNER_H_
