#include "bridge/hub/address_race.h"

#include <gmock/gmock.h>

#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "tests/bridge/hub/dialing_fixture.h"

namespace atomemo::hub {
namespace {

using asio::ip::make_address;
using asio::ip::tcp;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AddressRaceTest : public DialingTest {
 protected:
  // A listener on an address of this machine; false where there is none such (IPv6 may be off).
  bool Listen(const char* address, std::uint16_t port = 0) {
    asio::error_code error;
    listeners_.emplace_back(io_);
    tcp::acceptor& listener = listeners_.back();
    const tcp::endpoint endpoint(make_address(address), port);
    listener.open(endpoint.protocol(), error);
    if (!error) listener.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) listener.bind(endpoint, error);
    if (!error) listener.listen(5, error);
    if (error) return false;
    port_ = listener.local_endpoint().port();
    return true;
  }

  void Start(const std::string& host, std::set<asio::ip::address> last = {}) {
    resolver_ = std::make_unique<HostResolver>(io_, names_.AsFunction());
    race_ = std::make_shared<AddressRace>(
        io_, *resolver_, AddressRace::Target{host, port_, std::move(last)},
        [this](absl::StatusOr<tcp::socket> socket) { outcome_.emplace(std::move(socket)); });
    race_->Start();
    EXPECT_FALSE(outcome_.has_value()) << "inside Start";
  }
  void Finish() {
    RunUntil([this] { return outcome_.has_value(); });
  }
  std::string Winner() const {
    if (!outcome_->ok()) return std::string(outcome_->status().message());
    return (*outcome_)->remote_endpoint().address().to_string();
  }

  std::uint16_t port_ = 0;
  std::list<tcp::acceptor> listeners_;
  std::unique_ptr<HostResolver> resolver_;
  std::shared_ptr<AddressRace> race_;
  std::optional<absl::StatusOr<tcp::socket>> outcome_;
};

TEST_F(AddressRaceTest, AnAddressNeedsNoLookup) {
  ASSERT_TRUE(Listen("127.0.0.1"));
  Start("127.0.0.1");
  Finish();
  EXPECT_EQ(Winner(), "127.0.0.1");
  EXPECT_EQ(names_.questions(), 0);
}

TEST_F(AddressRaceTest, Ipv6IsPreferredWhereItWorks) {
  if (!Listen("::1")) GTEST_SKIP() << "no IPv6 here";
  ASSERT_TRUE(Listen("127.0.0.1", port_));
  names_.Answer("hub", AddressFamily::kIpv4, {"127.0.0.1"});
  names_.Answer("hub", AddressFamily::kIpv6, {"::1"});
  Start("hub");
  Finish();
  EXPECT_EQ(Winner(), "::1");
}

TEST_F(AddressRaceTest, AMuteAddressIsOvertaken) {
  ASSERT_TRUE(Listen("127.0.0.1"));
  const MuteAddress mute(io_, make_address("127.0.0.2"), port_);
  const MuteAddress mute_too(io_, make_address("127.0.0.3"), port_);
  names_.Answer("hub", AddressFamily::kIpv4, {"127.0.0.2", "127.0.0.3", "127.0.0.1"});
  names_.Answer("hub", AddressFamily::kIpv6, {});
  Start("hub");
  Finish();
  EXPECT_EQ(Winner(), "127.0.0.1");
}

TEST_F(AddressRaceTest, AMuteIpv6AddressIsOvertaken) {
  ASSERT_TRUE(Listen("127.0.0.1"));
  std::optional<MuteAddress> mute;
  try {
    mute.emplace(io_, make_address("::1"), port_);
  } catch (const std::system_error&) {
    GTEST_SKIP() << "no IPv6 here";
  }
  names_.Answer("hub", AddressFamily::kIpv4, {"127.0.0.1"});
  names_.Answer("hub", AddressFamily::kIpv6, {"::1"});
  Start("hub");
  Finish();
  EXPECT_EQ(Winner(), "127.0.0.1");
}

TEST_F(AddressRaceTest, ANameServerThatIsMuteForOneFamilyIsNotWaitedFor) {
  ASSERT_TRUE(Listen("127.0.0.1"));
  names_.Answer("hub", AddressFamily::kIpv4, {"127.0.0.1"});
  names_.Hang("hub", AddressFamily::kIpv6);
  Start("hub");
  Finish();
  EXPECT_EQ(Winner(), "127.0.0.1");
  names_.ReleaseAll();
}

TEST_F(AddressRaceTest, ALateFamilyStillCounts) {
  ASSERT_TRUE(Listen("127.0.0.1"));
  names_.Answer("hub", AddressFamily::kIpv6, {"100::1"});  // a discard address: unreachable or mute
  names_.Answer("hub", AddressFamily::kIpv4, {"127.0.0.1"});
  names_.Hang("hub", AddressFamily::kIpv4);
  Start("hub");
  names_.ReleaseAll();
  Finish();
  EXPECT_EQ(Winner(), "127.0.0.1");
}

TEST_F(AddressRaceTest, ADoubtfulAddressComesLast) {
  ASSERT_TRUE(Listen("127.0.0.1"));
  ASSERT_TRUE(Listen("127.0.0.2", port_));
  names_.Answer("hub", AddressFamily::kIpv4, {"127.0.0.1", "127.0.0.2"});
  names_.Answer("hub", AddressFamily::kIpv6, {});
  Start("hub", {make_address("127.0.0.1")});
  Finish();
  EXPECT_EQ(Winner(), "127.0.0.2");
}

TEST_F(AddressRaceTest, EveryFailureIsNamedInAnOrderThatStays) {
  ASSERT_TRUE(Listen("127.0.0.1"));
  listeners_.clear();
  names_.Answer("hub", AddressFamily::kIpv4, {"127.0.0.2", "127.0.0.1"});
  names_.Answer("hub", AddressFamily::kIpv6, {});
  Start("hub");
  Finish();
  EXPECT_EQ(Winner(), absl::StrCat("127.0.0.1:", port_, ": Connection refused; 127.0.0.2:", port_,
                                   ": Connection refused"));
}

TEST_F(AddressRaceTest, AHostWithVeryManyAddressesHasEnoughOfThem) {
  ASSERT_TRUE(Listen("127.0.0.1"));
  listeners_.clear();
  std::vector<std::string> addresses;
  for (int i = 1; i <= 40; ++i) addresses.push_back(absl::StrCat("127.0.0.", i));
  names_.Answer("hub", AddressFamily::kIpv4, addresses);
  names_.Answer("hub", AddressFamily::kIpv6, {});
  Start("hub");
  Finish();
  EXPECT_THAT(Winner(), HasSubstr("; and 16 more"));  // and four that are named
}

TEST_F(AddressRaceTest, AHostThatThereIsNotIsNamed) {
  port_ = 1;
  Start("hub");
  Finish();
  EXPECT_EQ(Winner(), "there is no host named hub");
}

TEST_F(AddressRaceTest, ABrokenLookupSaysMoreThanAMissingName) {
  port_ = 1;
  names_.Fail("hub", AddressFamily::kIpv4, absl::UnavailableError("no name server answers"));
  Start("hub");
  Finish();
  EXPECT_EQ(Winner(), "no name server answers");
}

TEST_F(AddressRaceTest, AHostWithoutAddressesIsNamed) {
  port_ = 1;
  names_.Answer("hub", AddressFamily::kIpv4, {});
  names_.Answer("hub", AddressFamily::kIpv6, {});
  Start("hub");
  Finish();
  EXPECT_THAT(Winner(), HasSubstr("hub has no address"));
}

TEST_F(AddressRaceTest, SaysWhatItWaitsFor) {
  names_.Hang("hub", AddressFamily::kIpv4);
  names_.Hang("hub", AddressFamily::kIpv6);
  Start("hub");
  EXPECT_THAT(race_->Describe(), HasSubstr("look-up of the host hub"));
  names_.ReleaseAll();
  Finish();

  const MuteAddress mute(io_, make_address("127.0.0.1"));
  port_ = mute.port();
  outcome_.reset();
  Start("127.0.0.1");
  RunUntil([this] { return absl::StrContains(race_->Describe(), "127.0.0.1"); });
  EXPECT_THAT(race_->Describe(), AllOf(HasSubstr("no answer"), Not(HasSubstr("refused"))));
  race_->Cancel();
}

TEST_F(AddressRaceTest, MayBeCancelledAtAnyTime) {
  ASSERT_TRUE(Listen("127.0.0.1"));
  names_.Answer("hub", AddressFamily::kIpv4, {"127.0.0.1"});
  names_.Answer("hub", AddressFamily::kIpv6, {"::1"});
  for (int steps = 0; steps < 12; ++steps) {
    Start("hub");
    io_.restart();
    for (int i = 0; i < steps && !outcome_.has_value(); ++i) {
      io_.run_one_for(std::chrono::milliseconds(100));
    }
    if (outcome_.has_value()) break;
    race_->Cancel();
    race_.reset();
    resolver_.reset();
    while (io_.run_one_for(std::chrono::milliseconds(1)) > 0) {
    }
    EXPECT_FALSE(outcome_.has_value());
  }
}

}  // namespace
}  // namespace atomemo::hub
