#include "examples/weather/weather_plugin.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "examples/weather/climate.h"

namespace weather {
namespace {

using namespace atomemo;  // NOLINT(google-build-using-namespace): as plugin authors write.

constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                   "May",       "June",     "July",     "August",
                                   "September", "October",  "November", "December"};

double Rounded(double value) { return std::round(value * 10) / 10; }

absl::StatusOr<const City*> CityNamed(absl::string_view text) {
  if (const City* city = FindCity(text)) return city;
  const std::string known =
      absl::StrJoin(Cities(), ", ", [](std::string* out, const City& city) { *out += city.name; });
  return Error("weather:unknown_city",
               absl::StrCat("There is no climate data for `", text, "`. Known are: ", known, "."),
               {{"city", std::string(text)}});
}

absl::StatusOr<absl::CivilDay> DayNamed(const std::string& text) {
  if (text.empty()) return absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  absl::CivilDay day;
  if (absl::ParseCivilTime(text, &day)) return day;
  return absl::InvalidArgumentError(
      absl::StrCat("`date` must be a day like 2026-07-01, not `", text, "`"));
}

// ---- current-weather: parameters in, numbers out.

absl::StatusOr<Json> CurrentWeather(const Call& call) {
  const auto name = call.Get<std::string>("city");
  if (!name.ok()) return name.status();
  const auto city = CityNamed(*name);
  if (!city.ok()) return city.status();
  const auto date = call.GetOr<std::string>("date", "");
  if (!date.ok()) return date.status();
  const auto day = DayNamed(*date);
  if (!day.ok()) return day.status();
  const auto unit = call.GetOr<std::string>("unit", "celsius");
  if (!unit.ok()) return unit.status();

  const double celsius = MeanTemperature(**city, *day);
  const double temperature = *unit == "fahrenheit" ? celsius * 9 / 5 + 32 : celsius;
  return Json{{"city", (*city)->name},
              {"date", absl::FormatCivilTime(*day)},
              {"temperature", Rounded(temperature)},
              {"unit", *unit},
              {"precipitation_mm_per_day", Rounded((*city)->precipitation[day->month() - 1] / 30)},
              {"hours_of_daylight", Rounded(HoursOfDaylight((*city)->latitude, *day))}};
}

// ---- climate-report: a city from a list, and columns that the user maps.

absl::StatusOr<ResourceList> SearchCities(const ResourceCall& call) {
  const std::string filter = absl::AsciiStrToLower(call.filter().value_or(""));
  ResourceList list;
  for (const City& city : Cities()) {
    if (absl::StrContains(absl::AsciiStrToLower(city.name), filter)) {
      list.results.push_back({city.name, city.id});
    }
  }
  return list;
}

absl::StatusOr<ResourceMapping> ReportColumns(const ResourceCall&) {
  return ResourceMapping{{{"temperature", "string", "Mean temperature in °C", true},
                          {"precipitation", "string", "Precipitation in mm", false},
                          {"daylight", "string", "Hours of daylight", false}}};
}

// The value of the column `id` in a month (from 0).
double Column(const City& city, absl::string_view id, int month) {
  if (id == "temperature") return city.temperature[month];
  if (id == "precipitation") return city.precipitation[month];
  return Rounded(HoursOfDaylight(city.latitude, absl::CivilDay(2025, month + 1, 15)));
}

absl::StatusOr<Json> ClimateReport(const Call& call) {
  const auto locator = call.Get<ResourceLocator>("city");
  if (!locator.ok()) return locator.status();
  const auto city = CityNamed(locator->value.value_or(""));
  if (!city.ok()) return city.status();
  const auto columns = call.Get<ResourceMapper>("columns");
  if (!columns.ok()) return columns.status();
  if (!columns->value.is_object()) {
    return absl::InvalidArgumentError("`columns` must map columns to the names they shall have");
  }

  Json rows = Json::array();
  for (int month = 0; month < 12; ++month) {
    Json row{{"month", kMonths[month]}};
    for (const auto& [id, title] : columns->value.items()) {
      if (title.is_string()) row[title.get<std::string>()] = Column(**city, id, month);
    }
    rows.push_back(std::move(row));
  }
  return Json{{"city", (*city)->name}, {"rows", std::move(rows)}};
}

// ---- save-climate and read-climate: files, kept by the hub and moved by the bridge.

absl::StatusOr<Json> SaveClimate(const Call& call) {
  const auto name = call.Get<std::string>("city");
  if (!name.ok()) return name.status();
  const auto city = CityNamed(*name);
  if (!city.ok()) return city.status();

  std::string csv = "month,temperature,precipitation\n";
  for (int month = 0; month < 12; ++month) {
    absl::StrAppend(&csv, kMonths[month], ",", (*city)->temperature[month], ",",
                    (*city)->precipitation[month], "\n");
  }
  const auto file = call.UploadFile({(*city)->id + ".csv", "text/csv", csv, "climate/"});
  if (!file.ok()) return file.status();
  return Json{{"city", (*city)->name}, {"file", *file}};
}

absl::StatusOr<Json> ReadClimate(const Call& call) {
  const auto reference = call.Get<FileRef>("file");
  if (!reference.ok()) return reference.status();
  const auto file = call.DownloadFile(*reference);
  if (!file.ok()) return file.status();

  Json rows = Json::array();
  for (const absl::string_view line : absl::StrSplit(file->content, '\n', absl::SkipEmpty())) {
    rows.push_back(std::vector<std::string>(absl::StrSplit(line, ',')));
  }
  return Json{{"rows", std::move(rows)}};
}

// ---- describe-climate: asks the language model that the user chose.

absl::StatusOr<Json> DescribeClimate(const Call& call) {
  const auto name = call.Get<std::string>("city");
  if (!name.ok()) return name.status();
  const auto city = CityNamed(*name);
  if (!city.ok()) return city.status();
  const auto model = call.Get<LlmConfig>("model");
  if (!model.ok()) return model.status();

  const std::string question =
      absl::StrCat("Describe the climate of ", (*city)->name,
                   " in one sentence. Its mean temperatures from January to December in °C: ",
                   absl::StrJoin((*city)->temperature, ", "));
  const auto answer =
      call.InvokeLlm(*model, Json::array({{{"role", "user"}, {"content", question}}}));
  if (!answer.ok()) return answer.status();
  return Json{{"city", (*city)->name}, {"answer", *answer}};
}

// ---- simulate-years: long work that uses the time it has, and tells how far it came.

// Leaves room to answer before the caller stops waiting.
constexpr absl::Duration kReserve = absl::Milliseconds(500);

// The hottest day of one random year: daily means with noise that lasts for some days.
double HottestDay(const City& city, std::mt19937& random) {
  std::normal_distribution<double> noise(0, 1.5);
  double hottest = -100;
  double anomaly = 0;
  for (absl::CivilDay day(2025, 1, 1); day.year() == 2025; ++day) {
    anomaly = 0.8 * anomaly + noise(random);
    hottest = std::max(hottest, MeanTemperature(city, day) + anomaly);
  }
  return hottest;
}

absl::StatusOr<Json> SimulateYears(const Call& call) {
  const auto name = call.Get<std::string>("city");
  if (!name.ok()) return name.status();
  const auto city = CityNamed(*name);
  if (!city.ok()) return city.status();
  const auto years = call.GetOr<int>("years", 100);
  if (!years.ok()) return years.status();
  const auto pause_ms = call.GetOr<int>("pause_ms", 0);
  if (!pause_ms.ok()) return pause_ms.status();

  std::mt19937 random(1);
  double hottest = -100;
  int done = 0;
  while (done < *years && call.time_left() > kReserve) {
    hottest = std::max(hottest, HottestDay(**city, random));
    ++done;
    if (done % std::max(1, *years / 10) == 0) {
      call.Log(absl::StrCat(done, " of ", *years, " years, ",
                            absl::FormatDuration(absl::Floor(call.time_left(), absl::Seconds(1))),
                            " left"));
    }
    const absl::Duration pause =
        std::min(absl::Milliseconds(*pause_ms), call.time_left() - kReserve);
    if (pause > absl::ZeroDuration() ? call.WaitCancelled(pause) : call.cancelled()) {
      return absl::CancelledError(absl::StrCat("given up after ", done, " years"));
    }
  }
  if (done == 0) return absl::DeadlineExceededError("there was no time for even one year");
  return Json{{"city", (*city)->name},
              {"years", done},
              {"complete", done >= *years},
              {"hottest_day", Rounded(hottest)}};
}

// ---- What the tools look like

String CityParameter() {
  return String("city")
      .DisplayName({{"en_US", "City"}, {"zh_Hans", "城市"}})
      .Required()
      .LlmDescription("The English name of a large city")
      .Ui(Input().Placeholder("Berlin").SupportExpression());
}

Tool CurrentWeatherTool() {
  return Tool("current-weather")
      .DisplayName({{"en_US", "Current weather"}, {"zh_Hans", "当前天气"}})
      .Description("What the weather is usually like in a city on a day")
      .Icon("🌦")
      .Parameter(CityParameter())
      .Parameter(String("date").DisplayName("Date").Ui(
          Input().Placeholder("2026-07-01").Hint("Today if left empty")))
      .Parameter(String("unit").DisplayName("Unit").Default("celsius").Ui(
          Select().Option("celsius", "°C").Option("fahrenheit", "°F")))
      .RetrySafe()
      .Invoke(&CurrentWeather);
}

Tool ClimateReportTool() {
  return Tool("climate-report")
      .DisplayName("Climate report")
      .Description("A table of the year in a city, month by month")
      .Icon("📊")
      .Parameter(Locator("city")
                     .DisplayName("City")
                     .Required()
                     .Mode(ListMode("search_cities").Searchable())
                     .Mode(IdMode().Placeholder("new-york")))
      .Parameter(
          Mapper("columns", "report_columns").DisplayName("Columns").Required().DependsOn({"city"}))
      .RetrySafe()
      .Invoke(&ClimateReport)
      .ListResources("search_cities", &SearchCities)
      .MapResource("report_columns", &ReportColumns);
}

Tool SaveClimateTool() {
  return Tool("save-climate")
      .DisplayName("Save climate")
      .Description("Stores a city's climate table with the hub, as a CSV file")
      .Icon("💾")
      .Parameter(CityParameter())
      .Invoke(&SaveClimate);
}

Tool ReadClimateTool() {
  return Tool("read-climate")
      .DisplayName("Read climate")
      .Description("The rows of a file that save-climate has stored")
      .Icon("📂")
      .Parameter(FileParameter("file").DisplayName("File").Required())
      .RetrySafe()
      .Invoke(&ReadClimate);
}

Tool DescribeClimateTool() {
  return Tool("describe-climate")
      .DisplayName("Describe climate")
      .Description("The climate of a city in words, by a language model")
      .Icon("💬")
      .Parameter(CityParameter())
      .Parameter(Object("model").DisplayName("Model").Required().Property(
          String("model").DisplayName("The model's name")))
      .Invoke(&DescribeClimate);
}

Tool SimulateYearsTool() {
  return Tool("simulate-years")
      .DisplayName("Simulate years")
      .Description("The hottest day of many random years. Uses the time that the caller gives it.")
      .Icon("⏳")
      .Parameter(CityParameter())
      .Parameter(Integer("years").DisplayName("Years").Default(100).Minimum(1).Maximum(100000).Ui(
          NumberInput().Step(1)))
      .Parameter(Integer("pause_ms")
                     .DisplayName("Pause after each year")
                     .Default(0)
                     .Minimum(0)
                     .Maximum(60000)
                     .Ui(NumberInput().Suffix("ms")))
      .Timeout(absl::Minutes(5))
      .Invoke(&SimulateYears);
}

}  // namespace

Plugin MakePlugin() {
  Plugin plugin(PluginInfo("weather")
                    .Version("1.0.0")
                    .DisplayName({{"en_US", "Weather"}, {"zh_Hans", "天气"}})
                    .Description("Climate and daylight of large cities, without any network")
                    .Icon("🌦")
                    .Author("Atomemo examples")
                    .Email("examples@example.com")
                    .Locales({"en-US", "zh-Hans"}));
  plugin.AddTool(CurrentWeatherTool())
      .AddTool(ClimateReportTool())
      .AddTool(SaveClimateTool())
      .AddTool(ReadClimateTool())
      .AddTool(DescribeClimateTool())
      .AddTool(SimulateYearsTool());
  return plugin;
}

}  // namespace weather
