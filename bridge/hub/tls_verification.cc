#include "bridge/hub/tls_verification.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>

#include <asio/error.hpp>
#include <asio/ip/address.hpp>
#include <asio/ssl/error.hpp>
#include <asio/ssl/host_name_verification.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace atomemo::hub {
namespace {

bool IsAddress(const std::string& host) {
  asio::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

absl::StatusOr<std::shared_ptr<asio::ssl::context>> MakeTlsClientContext(
    const std::string& extra_ca_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  asio::error_code error;
  context->set_default_verify_paths(error);
  if (error) return absl::InternalError(absl::StrCat("system certificates: ", error.message()));
  if (!extra_ca_file.empty()) {
    context->load_verify_file(extra_ca_file, error);
    if (error) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot use the certificates in ", extra_ca_file, ": ", error.message()));
    }
  }
  return context;
}

void VerifyPeer(TlsStream& stream, const std::string& host,
                std::shared_ptr<TlsVerification> verification) {
  asio::error_code ignored;
  stream.set_verify_mode(asio::ssl::verify_peer, ignored);
  stream.set_verify_callback(
      [host, verification = std::move(verification)](bool trusted,
                                                     asio::ssl::verify_context& context) {
        if (!trusted) {
          const int why = X509_STORE_CTX_get_error(context.native_handle());
          verification->error = absl::StrCat(
              "the certificate of ", host, " is not trusted: ", X509_verify_cert_error_string(why));
          return false;
        }
        if (!asio::ssl::host_name_verification(host)(trusted, context)) {
          verification->error = absl::StrCat("the certificate is not for the host ", host);
          return false;
        }
        return true;
      },
      ignored);
}

TlsFailure ExplainTlsFailure(const asio::error_code& error) {
  if (!error) return {};
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated ||
      error == asio::error::connection_reset) {
    return {"the connection was closed during the TLS handshake", true};
  }
  const bool is_tls = error.category() == asio::error::get_ssl_category();
  const int reason = is_tls ? ERR_GET_REASON(static_cast<unsigned long>(error.value())) : 0;
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
      reason == SSL_R_PACKET_LENGTH_TOO_LONG) {
    return {"what answers does not speak TLS", true};
  }
  return {absl::StrCat("the TLS handshake failed: ", error.message()), false};
}

void OmitAddressFromSni(TlsStream& stream, const std::string& host) {
  if (IsAddress(host)) {
    SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             nullptr);
  }
}

}  // namespace atomemo::hub
