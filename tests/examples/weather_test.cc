#include "examples/weather/weather_plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atomemo/testing/fake_bridge.h"
#include "examples/weather/climate.h"

namespace weather {
namespace {

using ::atomemo::ErrorCode;
using ::atomemo::Json;
using ::atomemo::testing::CallOptions;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class WeatherTest : public ::testing::Test {
 protected:
  const atomemo::Plugin plugin_ = MakePlugin();
  atomemo::testing::FakeBridge bridge_{plugin_};
};

TEST_F(WeatherTest, TellsWhatADayIsLike) {
  const auto answer =
      bridge_.Invoke("current-weather", {{"city", "berlin"}, {"date", "2026-07-15"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, (Json{{"city", "Berlin"},
                           {"date", "2026-07-15"},
                           {"temperature", 19.2},
                           {"unit", "celsius"},
                           {"precipitation_mm_per_day", 2.1},
                           {"hours_of_daylight", 16.1}}));
}

TEST_F(WeatherTest, SpeaksFahrenheit) {
  const auto answer = bridge_.Invoke(
      "current-weather", {{"city", "Berlin"}, {"date", "2026-07-15"}, {"unit", "fahrenheit"}});
  EXPECT_EQ(answer->at("temperature"), 66.6);
}

TEST_F(WeatherTest, AnUnknownCityIsAnErrorThatNamesTheKnownOnes) {
  const auto answer = bridge_.Invoke("current-weather", {{"city", "Atlantis"}});
  EXPECT_EQ(ErrorCode(answer.status()), "weather:unknown_city");
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("Reykjavik"));
  EXPECT_EQ(atomemo::DescribeError(answer.status()).details.at("city"), "Atlantis");
}

TEST_F(WeatherTest, AWrongDateIsAnError) {
  const auto answer = bridge_.Invoke("current-weather", {{"city", "Berlin"}, {"date", "soon"}});
  EXPECT_EQ(ErrorCode(answer.status()), "sdk:invalid_parameter");
}

TEST_F(WeatherTest, ListsTheCitiesThatFitTheFilter) {
  const auto all = bridge_.ListResources("climate-report", "search_cities");
  EXPECT_THAT(all->results, SizeIs(Cities().size()));
  const auto some =
      bridge_.ListResources("climate-report", "search_cities", CallOptions().Filter("NEW"));
  ASSERT_THAT(some->results, SizeIs(1));
  EXPECT_EQ(some->results[0].value, "new-york");
}

TEST_F(WeatherTest, ReportsTheColumnsThatTheUserMapped) {
  const auto columns = bridge_.MapResource("climate-report", "report_columns");
  EXPECT_EQ(columns->fields.at(0).id, "temperature");
  const auto report = bridge_.Invoke(
      "climate-report", {{"city", atomemo::ResourceLocator{"id", "sydney"}},
                         {"columns", atomemo::ResourceMapper{"manual", {{"daylight", "Sun"}}}}});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->at("rows"), SizeIs(12));
  EXPECT_EQ(report->at("rows").at(0).at("month"), "January");
  EXPECT_GT(report->at("rows").at(0).at("Sun"), report->at("rows").at(6).at("Sun"));
}

TEST_F(WeatherTest, WhatItSavedItCanRead) {
  const auto saved = bridge_.Invoke("save-climate", {{"city", "Berlin"}});
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->at("file").at("filename"), "berlin.csv");
  const auto read = bridge_.Invoke("read-climate", {{"file", saved->at("file")}});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(read->at("rows"), SizeIs(13));
  EXPECT_EQ(read->at("rows").at(7), (Json{"July", "19.2", "63"}));
}

TEST_F(WeatherTest, AsksTheModelThatTheUserChose) {
  bridge_.OnCallHub("invoke_llm", [](const Json&) { return Json{{"content", "Mild."}}; });
  const auto answer = bridge_.Invoke(
      "describe-climate", {{"city", "Paris"}, {"model", atomemo::LlmConfig{{{"model", "m1"}}}}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, (Json{{"city", "Paris"}, {"answer", {{"content", "Mild."}}}}));
  const Json asked = bridge_.hub_calls().at(0).data;
  EXPECT_EQ(asked.at("llm_config").at("model"), "m1");
  EXPECT_THAT(asked.at("messages").at(0).at("content").get<std::string>(), HasSubstr("Paris"));
}

TEST_F(WeatherTest, ASimulationThatHasTheTimeIsComplete) {
  const auto answer = bridge_.Invoke("simulate-years", {{"city", "Paris"}, {"years", 20}});
  EXPECT_EQ(answer->at("years"), 20);
  EXPECT_EQ(answer->at("complete"), true);
  EXPECT_GT(answer->at("hottest_day"), 21);
  EXPECT_THAT(bridge_.log_lines(), Not(IsEmpty()));
}

TEST_F(WeatherTest, ASimulationStopsBeforeItsDeadlineWithWhatItHas) {
  const auto answer =
      bridge_.Invoke("simulate-years", {{"city", "Paris"}, {"years", 100}, {"pause_ms", 1000}},
                     CallOptions().TimeLeft(absl::Seconds(10)));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->at("years"), 10);
  EXPECT_EQ(answer->at("complete"), false);
}

TEST_F(WeatherTest, ACancelledSimulationStops) {
  const auto answer =
      bridge_.Invoke("simulate-years", {{"city", "Paris"}, {"years", 100}, {"pause_ms", 1000}},
                     CallOptions().CancelAfter(absl::Seconds(3)));
  EXPECT_EQ(answer.status(), absl::CancelledError("given up after 3 years"));
}

TEST(ClimateTest, TemperatureIsInterpolatedAcrossTheYearsEnd) {
  const City& berlin = *FindCity("Berlin");
  EXPECT_DOUBLE_EQ(MeanTemperature(berlin, absl::CivilDay(2025, 12, 15)), 1.7);
  EXPECT_DOUBLE_EQ(MeanTemperature(berlin, absl::CivilDay(2026, 1, 15)), 0.6);
  const double between = MeanTemperature(berlin, absl::CivilDay(2025, 12, 31));
  EXPECT_GT(between, 0.6);
  EXPECT_LT(between, 1.7);
}

TEST(ClimateTest, DaylightFollowsLatitudeAndSeason) {
  EXPECT_NEAR(HoursOfDaylight(0, absl::CivilDay(2025, 6, 21)), 12, 0.01);
  EXPECT_NEAR(HoursOfDaylight(52.5, absl::CivilDay(2025, 6, 21)), 16.6, 0.3);
  EXPECT_EQ(HoursOfDaylight(80, absl::CivilDay(2025, 6, 21)), 24);
  EXPECT_EQ(HoursOfDaylight(80, absl::CivilDay(2025, 12, 21)), 0);
}

}  // namespace
}  // namespace weather
