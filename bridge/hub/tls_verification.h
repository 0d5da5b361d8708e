#ifndef ATOMEMO_BRIDGE_HUB_TLS_VERIFICATION_H_
#define ATOMEMO_BRIDGE_HUB_TLS_VERIFICATION_H_

#include <asio/error_code.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/stream.hpp>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace atomemo::hub {

using TlsStream = asio::ssl::stream<asio::ip::tcp::socket>;

// Why a peer's certificate was refused, for a person. Only the verification itself knows: after it,
// nothing but "handshake failed" is left.
struct TlsVerification {
  std::string error;
};

// TLS 1.2 and later; trusts the system's certificates and, if named, those of a PEM file.
// INVALID_ARGUMENT if that file cannot be used.
absl::StatusOr<std::shared_ptr<asio::ssl::context>> MakeTlsClientContext(
    const std::string& extra_ca_file);

// Makes `stream` accept only a trusted certificate for `host` (a name or an address).
void VerifyPeer(TlsStream& stream, const std::string& host,
                std::shared_ptr<TlsVerification> verification);

// Why a TLS handshake failed, for a person; empty if it did not.
struct TlsFailure {
  std::string reason;
  // The peer may speak no TLS at all.
  bool maybe_plain = false;
};
TlsFailure ExplainTlsFailure(const asio::error_code& error);

// A server name indication must not be an address (RFC 6066): takes it back if `host` is one.
void OmitAddressFromSni(TlsStream& stream, const std::string& host);

}  // namespace atomemo::hub

#endif  // ATOMEMO_BRIDGE_HUB_TLS_VERIFICATION_H_
