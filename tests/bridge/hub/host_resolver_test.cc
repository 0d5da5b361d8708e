#include "bridge/hub/host_resolver.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/bridge/hub/dialing_fixture.h"

namespace atomemo::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HostResolverTest : public DialingTest {
 protected:
  void Make() { resolver_ = std::make_unique<HostResolver>(io_, names_.AsFunction()); }

  void Ask(const std::string& host, AddressFamily family = AddressFamily::kIpv4) {
    tickets_.push_back(resolver_->Resolve(host, family, [this](const auto& answer) {
      if (!answer.ok()) return answers_.push_back(std::string(answer.status().message()));
      std::string text;
      for (const auto& address : *answer) absl::StrAppend(&text, address.to_string(), " ");
      answers_.push_back(text);
    }));
  }

  std::unique_ptr<HostResolver> resolver_;
  std::vector<HostResolver::Ticket> tickets_;
  std::vector<std::string> answers_;
};

TEST_F(HostResolverTest, AnswersLaterWithAllAddresses) {
  names_.Answer("hub", AddressFamily::kIpv4, {"10.0.0.1", "10.0.0.2"});
  Make();
  Ask("hub");
  EXPECT_TRUE(answers_.empty());
  RunUntil([this] { return answers_.size() == 1; });
  EXPECT_THAT(answers_, ElementsAre("10.0.0.1 10.0.0.2 "));
}

TEST_F(HostResolverTest, ThoseWhoAskForTheSameNameShareOneLookup) {
  names_.Hang("hub", AddressFamily::kIpv4);
  names_.Answer("hub", AddressFamily::kIpv4, {"10.0.0.1"});
  Make();
  for (int i = 0; i < 100; ++i) Ask("hub");
  RunUntil([this] { return names_.questions() == 1; });
  names_.ReleaseAll();
  RunUntil([this] { return answers_.size() == 100; });
  EXPECT_EQ(names_.questions(), 1);
}

TEST_F(HostResolverTest, WhoDropsHisTicketHearsNothing) {
  names_.Hang("hub", AddressFamily::kIpv4);
  Make();
  Ask("hub");
  Ask("hub");
  tickets_.erase(tickets_.begin());
  names_.ReleaseAll();
  RunUntil([this] { return !answers_.empty(); });
  EXPECT_THAT(answers_, ElementsAre(HasSubstr("no host named hub")));
}

TEST_F(HostResolverTest, ItsEndDoesNotWaitForALookup) {
  names_.Hang("hub", AddressFamily::kIpv4);
  Make();
  Ask("hub");
  RunUntil([this] { return names_.questions() == 1; });
  resolver_.reset();  // at once, or this test hangs
  names_.ReleaseAll();
}

TEST_F(HostResolverTest, LookupsThatNeverEndAreBounded) {
  for (int i = 0; i < 40; ++i) names_.Hang(absl::StrCat("h", i), AddressFamily::kIpv4);
  Make();
  for (int i = 0; i < 40; ++i) Ask(absl::StrCat("h", i));
  RunUntil([this] { return answers_.size() == 24; });
  EXPECT_THAT(answers_[0], HasSubstr("16"));
  names_.ReleaseAll();
  RunUntil([this] { return answers_.size() == 40; });
}

TEST(SystemLookupTest, KnowsThisMachine) {
  const auto v4 = HostResolver::SystemLookup("localhost", AddressFamily::kIpv4);
  ASSERT_TRUE(v4.ok()) << v4.status();
  EXPECT_THAT(*v4, ElementsAre(asio::ip::make_address("127.0.0.1")));
}

TEST(SystemLookupTest, NamesAHostThatThereIsNot) {
  // Reserved for this (RFC 6761). Without a network there is no answer at all.
  const auto none = HostResolver::SystemLookup("no-such-host.invalid", AddressFamily::kIpv4);
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("no-such-host.invalid"));
}

}  // namespace
}  // namespace atomemo::hub
