#include "bridge/hub/address_race.h"

#include <asio/post.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace atomemo::hub {
namespace {

using asio::ip::tcp;

// What RFC 8305 recommends.
constexpr std::chrono::milliseconds kAttemptDelay{250};
constexpr std::chrono::milliseconds kResolutionDelay{50};
// A host with more has enough of them.
constexpr std::size_t kMaxAddresses = 20;
// So many are named in an error.
constexpr std::size_t kMaxNamed = 4;

constexpr std::size_t kV4 = static_cast<std::size_t>(AddressFamily::kIpv4);
constexpr std::size_t kV6 = static_cast<std::size_t>(AddressFamily::kIpv6);
constexpr std::size_t kLast = 2;

}  // namespace

std::string FormatEndpoint(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? absl::StrCat("[", address, "]:", endpoint.port())
                                    : absl::StrCat(address, ":", endpoint.port());
}

AddressRace::AddressRace(asio::io_context& io, HostResolver& resolver, Target target, Done done)
    : io_(io),
      resolver_(resolver),
      target_(std::move(target)),
      done_(std::move(done)),
      next_family_(kV6),
      pause_(io) {}

void AddressRace::Start() {
  asio::error_code no_address;
  const asio::ip::address address = asio::ip::make_address(target_.host, no_address);
  if (!no_address) {
    answered_ = {true, true};
    Add({address});
    return asio::post(io_, [self = shared_from_this()] { self->Proceed(); });
  }
  for (const AddressFamily family : {AddressFamily::kIpv6, AddressFamily::kIpv4}) {
    tickets_[static_cast<std::size_t>(family)] =
        resolver_.Resolve(target_.host, family, [this, family](const auto& answer) {
          const auto self = shared_from_this();
          OnAnswer(family, answer);
        });
  }
}

void AddressRace::Cancel() {
  done_ = nullptr;
  tickets_ = {};
  pause_.cancel();
  for (Attempt& attempt : attempts_) {
    asio::error_code ignored;
    attempt.socket.close(ignored);
  }
}

void AddressRace::OnAnswer(AddressFamily family,
                           const absl::StatusOr<HostResolver::Addresses>& answer) {
  const auto index = static_cast<std::size_t>(family);
  answered_[index] = true;
  if (answer.ok()) {
    Add(*answer);
  } else {
    lookup_errors_[index] = answer.status();
  }
  if (attempts_.empty()) {
    // The other family is preferred, and its answer may be on its way.
    if (!answered_[kV6] && !waiting_[kV4].empty()) return Pause(kResolutionDelay);
    may_start_ = true;
  }
  Proceed();
}

void AddressRace::Add(const HostResolver::Addresses& addresses) {
  for (const asio::ip::address& address : addresses) {
    if (added_++ >= kMaxAddresses) return;
    const std::size_t own = address.is_v6() ? kV6 : kV4;
    waiting_[target_.last.count(address) > 0 ? kLast : own].push_back(address);
  }
}

void AddressRace::Proceed() {
  if (done_ == nullptr || !may_start_) return;
  asio::ip::address address;
  if (TakeNext(address)) return Try(address);
  if (running_ == 0 && answered_[kV4] && answered_[kV6]) End(Failure());
}

bool AddressRace::TakeNext(asio::ip::address& address) {
  for (const std::size_t from : {next_family_, next_family_ == kV6 ? kV4 : kV6, kLast}) {
    if (waiting_[from].empty()) continue;
    // Not before all the others are known.
    if (from == kLast && !(answered_[kV4] && answered_[kV6])) return false;
    address = waiting_[from].front();
    waiting_[from].pop_front();
    next_family_ = address.is_v6() ? kV4 : kV6;
    return true;
  }
  return false;
}

void AddressRace::Try(const asio::ip::address& address) {
  Attempt& attempt = attempts_.emplace_back(io_, tcp::endpoint(address, target_.port));
  ++running_;
  Pause(kAttemptDelay);
  attempt.socket.async_connect(
      attempt.endpoint, [self = shared_from_this(), &attempt](const asio::error_code& error) {
        self->OnConnected(attempt, error);
      });
}

void AddressRace::OnConnected(Attempt& attempt, const asio::error_code& error) {
  --running_;
  if (done_ == nullptr) return;
  if (!error) return End(std::move(attempt.socket));
  attempt.error = error.message();
  asio::error_code ignored;
  attempt.socket.close(ignored);
  may_start_ = true;
  Proceed();
}

void AddressRace::Pause(std::chrono::milliseconds time) {
  may_start_ = false;
  pause_.expires_after(time);
  pause_.async_wait([weak = weak_from_this()](const asio::error_code& error) {
    const auto self = weak.lock();
    if (error || self == nullptr) return;
    self->may_start_ = true;
    self->Proceed();
  });
}

void AddressRace::End(absl::StatusOr<tcp::socket> outcome) {
  const Done done = std::exchange(done_, nullptr);
  Cancel();
  done(std::move(outcome));
}

absl::Status AddressRace::Failure() const {
  if (!attempts_.empty()) return absl::UnavailableError(Describe());
  // "No such name" of one family says less than what went wrong with the other.
  for (const absl::Status& error : lookup_errors_) {
    if (!error.ok() && !absl::IsNotFound(error)) return error;
  }
  for (const absl::Status& error : lookup_errors_) {
    if (!error.ok()) return error;
  }
  return absl::NotFoundError(absl::StrCat("the host ", target_.host, " has no address"));
}

std::string AddressRace::Describe() const {
  if (attempts_.empty()) {
    return absl::StrCat("no answer yet to the look-up of the host ", target_.host);
  }
  // In an order that does not depend on who was faster, nor on the name server's.
  std::set<std::string> texts;
  for (const Attempt& attempt : attempts_) {
    texts.insert(absl::StrCat(FormatEndpoint(attempt.endpoint), ": ",
                              attempt.error.empty() ? "no answer" : attempt.error));
  }
  std::vector<std::string> named(texts.begin(), texts.end());
  const std::size_t more = named.size() > kMaxNamed ? named.size() - kMaxNamed : 0;
  named.resize(named.size() - more);
  std::string text = absl::StrJoin(named, "; ");
  if (more > 0) absl::StrAppend(&text, "; and ", more, " more");
  return text;
}

}  // namespace atomemo::hub
