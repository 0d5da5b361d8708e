#include "bridge/hub/host_resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace atomemo::hub {
namespace {

constexpr std::chrono::seconds kLongLookup{30};

asio::ip::address AddressOf(const addrinfo& info) {
  if (info.ai_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(info.ai_addr);
    return asio::ip::address_v4(ntohl(v4->sin_addr.s_addr));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(info.ai_addr);
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
  return asio::ip::address_v6(bytes, v6->sin6_scope_id);
}

absl::Status ErrorOf(const std::string& host, int code, int system_error) {
  switch (code) {
    case EAI_NONAME:
      return absl::NotFoundError(absl::StrCat("there is no host named ", host));
    case EAI_AGAIN:
      return absl::UnavailableError(absl::StrCat("no name server answers for the host ", host, " (",
                                                 gai_strerror(code), ")"));
    case EAI_SYSTEM:
      return absl::UnavailableError(
          absl::StrCat("cannot look up the host ", host, ": ", std::strerror(system_error)));
    default:
      return absl::UnavailableError(
          absl::StrCat("cannot look up the host ", host, ": ", gai_strerror(code)));
  }
}

}  // namespace

absl::StatusOr<HostResolver::Addresses> HostResolver::SystemLookup(const std::string& host,
                                                                   AddressFamily family) {
  // Without AI_ADDRCONFIG, which forgets loopback addresses: connecting finds out soon enough.
  addrinfo hints = {};
  hints.ai_family = family == AddressFamily::kIpv4 ? AF_INET : AF_INET6;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const int system_error = errno;
  Addresses addresses;
  // It exists and has no address of this family.
  if (code == EAI_NODATA || code == EAI_ADDRFAMILY) return addresses;
  if (code != 0) return ErrorOf(host, code, system_error);
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    asio::ip::address address = AddressOf(*info);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  freeaddrinfo(found);
  return addresses;
}

HostResolver::HostResolver(asio::io_context& io, Lookup lookup)
    : io_(io),
      lookup_(std::move(lookup)),
      calls_([&io](base::BlockingCalls::Task task) { asio::post(io, std::move(task)); }) {}

HostResolver::Ticket HostResolver::Resolve(const std::string& host, AddressFamily family,
                                           Done done) {
  auto waiter = std::make_shared<Done>(std::move(done));
  const Key key(host, family);
  const auto [question, is_new] = questions_.try_emplace(key);
  auto& waiting = question->second.waiting;
  waiting.erase(std::remove_if(waiting.begin(), waiting.end(),
                               [](const auto& other) { return other.expired(); }),
                waiting.end());
  waiting.push_back(waiter);
  if (is_new || Clock::now() - question->second.asked_at > kLongLookup) Ask(key);
  return waiter;
}

void HostResolver::Ask(const Key& key) {
  questions_[key].asked_at = Clock::now();
  const absl::Status started = calls_.Run([this, key, lookup = lookup_] {
    return [this, key, answer = lookup(key.first, key.second)] { OnAnswer(key, answer); };
  });
  if (started.ok()) return;
  asio::post(io_, [this, alive = std::weak_ptr<bool>(alive_), key, started] {
    if (alive.lock() != nullptr) OnAnswer(key, started);
  });
}

void HostResolver::OnAnswer(const Key& key, const absl::StatusOr<Addresses>& answer) {
  const auto question = questions_.extract(key);
  if (question.empty()) return;
  for (const std::weak_ptr<Done>& waiting : question.mapped().waiting) {
    if (const auto done = waiting.lock()) (*done)(answer);
  }
}

}  // namespace atomemo::hub
