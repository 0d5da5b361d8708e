#include "bridge/router/call_ledger.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace atomemo::router {
namespace {

std::shared_ptr<const HubAnswer> MakeAnswer(const std::string& request_id, std::size_t bytes = 1) {
  auto answer = std::make_shared<HubAnswer>();
  answer->request_id = request_id;
  answer->outcome = std::string(bytes, ' ');
  return answer;
}

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(1);

TEST(CallLedgerTest, RemembersAnAnswerByTopicAndRequestId) {
  CallLedger ledger({});
  ledger.Add("t", MakeAnswer("r"), kStart);
  ASSERT_NE(ledger.Find("t", "r"), nullptr);
  EXPECT_EQ(ledger.Find("t", "r")->answer->request_id, "r");
  EXPECT_EQ(ledger.Find("t2", "r"), nullptr);
}

TEST(CallLedgerTest, ForgetsTheOldestAnswersButNotTheirIdsPastTheByteLimit) {
  CallLedger::Limits limits;
  limits.max_answer_bytes = 3'000;
  CallLedger ledger(limits);
  for (int i = 0; i < 5; ++i) ledger.Add("t", MakeAnswer(absl::StrCat(i), 1'000), kStart);
  EXPECT_LE(ledger.answer_bytes(), limits.max_answer_bytes);
  EXPECT_EQ(ledger.Find("t", "0")->answer, nullptr);
  EXPECT_NE(ledger.Find("t", "4")->answer, nullptr);
}

TEST(CallLedgerTest, ForgetsIdsByAgeAndCount) {
  CallLedger::Limits limits;
  limits.keep = absl::Minutes(10);
  limits.max_ids = 3;
  CallLedger ledger(limits);
  for (int i = 0; i < 5; ++i) ledger.Add("t", MakeAnswer(absl::StrCat(i)), kStart);
  EXPECT_EQ(ledger.size(), 3u);
  ledger.Add("t", MakeAnswer("late"), kStart + absl::Minutes(11));
  EXPECT_EQ(ledger.size(), 1u);
  EXPECT_EQ(ledger.answer_bytes(), MakeAnswer("late")->size());
}

}  // namespace
}  // namespace atomemo::router
