#include "bridge/devhub/url_signer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace atomemo::devhub {

UrlSigner::UrlSigner(std::string secret, absl::Duration lifetime)
    : secret_(std::move(secret)), lifetime_(lifetime) {}

std::string UrlSigner::Sign(absl::string_view method, absl::string_view path,
                            absl::Time now) const {
  const std::string expires = absl::StrCat(absl::ToUnixSeconds(now + lifetime_));
  return absl::StrCat("expires=", expires, "&signature=", Signature(method, path, expires));
}

absl::Status UrlSigner::Check(absl::string_view method, absl::string_view path, const Query& query,
                              absl::Time now) const {
  const auto expires = query.find("expires");
  const auto signature = query.find("signature");
  std::int64_t expiry = 0;
  if (expires == query.end() || signature == query.end() ||
      !absl::SimpleAtoi(expires->second, &expiry) ||
      !SecretsEqual(Signature(method, path, expires->second), signature->second)) {
    return absl::PermissionDeniedError(
        absl::StrCat("the URL carries no valid signature for ", method));
  }
  if (absl::ToUnixSeconds(now) >= expiry) {
    return absl::PermissionDeniedError("the URL has expired; ask the hub for a new one");
  }
  return absl::OkStatus();
}

std::string UrlSigner::Signature(absl::string_view method, absl::string_view path,
                                 absl::string_view expires) const {
  const std::string text = absl::StrCat(method, "\n", path, "\n", expires);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

bool SecretsEqual(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace atomemo::devhub
