#include "bridge/router/answered_ids.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace atomemo::router {
namespace {

std::shared_ptr<const HubAnswer> MakeAnswer(std::size_t bytes = 1) {
  auto answer = std::make_shared<HubAnswer>();
  answer->outcome = std::string(bytes, ' ');
  return answer;
}

CallId Id(int number, absl::string_view topic = "t") {
  return CallIdOf(topic, absl::StrCat(number));
}

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(1);

TEST(AnsweredIdsTest, RemembersAnAnswerByTopicAndRequestId) {
  AnsweredIds ids({});
  const auto answer = MakeAnswer();
  ids.Add(Id(1), answer, kStart);
  EXPECT_TRUE(ids.Contains(Id(1)));
  EXPECT_EQ(ids.AnswerTo(Id(1)), answer);
  EXPECT_FALSE(ids.Contains(Id(1, "t2")));
  EXPECT_EQ(ids.AnswerTo(Id(1, "t2")), nullptr);
}

TEST(AnsweredIdsTest, KeepsTheFirstAnswerToACall) {
  AnsweredIds ids({});
  const auto first = MakeAnswer();
  ids.Add(Id(1), first, kStart);
  ids.Add(Id(1), MakeAnswer(), kStart);
  EXPECT_EQ(ids.AnswerTo(Id(1)), first);
  EXPECT_EQ(ids.answer_bytes(), first->size());
}

TEST(AnsweredIdsTest, ForgetsTheOldestAnswersButNotTheirIdsPastTheByteLimit) {
  AnsweredIds::Limits limits;
  limits.max_answer_bytes = 3'000;
  AnsweredIds ids(limits);
  for (int i = 0; i < 5; ++i) ids.Add(Id(i), MakeAnswer(1'000), kStart);
  EXPECT_LE(ids.answer_bytes(), limits.max_answer_bytes);
  EXPECT_TRUE(ids.Contains(Id(0)));
  EXPECT_EQ(ids.AnswerTo(Id(0)), nullptr);
  EXPECT_NE(ids.AnswerTo(Id(4)), nullptr);
}

TEST(AnsweredIdsTest, ForgetsIdsByAgeAndCount) {
  AnsweredIds::Limits limits;
  limits.keep = absl::Minutes(10);
  limits.max_ids = 3;
  AnsweredIds ids(limits);
  for (int i = 0; i < 5; ++i) ids.Add(Id(i), MakeAnswer(), kStart);
  EXPECT_EQ(ids.size(), 3u);
  EXPECT_FALSE(ids.Contains(Id(1)));
  EXPECT_TRUE(ids.Contains(Id(2)));
  ids.Add(Id(5), MakeAnswer(), kStart + absl::Minutes(11));
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(ids.answer_bytes(), MakeAnswer()->size());
}

TEST(AnsweredIdsTest, ForgetsNothingInTheFirstMinutesOfTheClock) {
  AnsweredIds ids({});
  ids.Add(Id(1), MakeAnswer(), absl::UnixEpoch());
  ids.Add(Id(2), MakeAnswer(), absl::UnixEpoch() + absl::Minutes(9));
  EXPECT_TRUE(ids.Contains(Id(1)));
}

}  // namespace
}  // namespace atomemo::router
