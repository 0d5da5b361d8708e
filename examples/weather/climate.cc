#include "examples/weather/climate.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"

namespace weather {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kAxialTilt = 23.44;  // degrees

double Radians(double degrees) { return degrees * kPi / 180; }

// The day in the middle of a month.
absl::CivilDay MiddleOf(absl::CivilMonth month) { return absl::CivilDay(month) + 14; }

}  // namespace

const std::vector<City>& Cities() {
  // clang-format off
  static const auto* const kCities = new std::vector<City>{
      {"beijing", "Beijing", 39.90,
       {-2.7, 0.6, 7.5, 15.1, 21.3, 24.9, 26.8, 25.6, 20.9, 13.8, 5.0, -0.9},
       {2, 5, 9, 21, 35, 72, 170, 114, 54, 29, 14, 2}},
      {"berlin", "Berlin", 52.52,
       {0.6, 1.4, 5.0, 9.6, 14.3, 17.4, 19.2, 18.8, 14.8, 9.9, 4.8, 1.7},
       {49, 35, 42, 35, 57, 59, 63, 58, 44, 40, 42, 46}},
      {"nairobi", "Nairobi", -1.29,
       {19.1, 19.8, 20.2, 19.8, 18.8, 17.5, 16.8, 17.3, 18.6, 19.6, 19.0, 18.7},
       {92, 50, 99, 206, 130, 28, 16, 22, 22, 46, 151, 94}},
      {"new-york", "New York", 40.71,
       {0.9, 2.2, 6.0, 12.1, 17.3, 22.4, 25.5, 24.6, 20.8, 14.6, 9.0, 3.9},
       {92, 81, 109, 104, 101, 115, 117, 116, 109, 112, 91, 111}},
      {"paris", "Paris", 48.86,
       {5.4, 6.0, 9.2, 12.2, 15.6, 18.8, 20.9, 20.8, 17.2, 13.2, 8.7, 5.9},
       {48, 42, 46, 48, 60, 58, 52, 56, 48, 55, 58, 62}},
      {"reykjavik", "Reykjavik", 64.15,
       {0.7, 0.7, 1.2, 3.9, 7.2, 9.9, 11.6, 11.1, 8.5, 4.9, 2.3, 0.8},
       {87, 91, 81, 62, 52, 43, 52, 67, 85, 77, 82, 89}},
      {"shanghai", "Shanghai", 31.23,
       {4.9, 6.6, 10.6, 15.9, 21.0, 24.5, 28.8, 28.5, 24.9, 19.8, 13.8, 7.5},
       {67, 67, 101, 79, 89, 222, 156, 200, 113, 66, 59, 44}},
      {"sydney", "Sydney", -33.87,
       {23.5, 23.4, 22.1, 19.5, 16.6, 14.2, 13.4, 14.5, 17.0, 18.9, 20.4, 22.1},
       {91, 131, 117, 114, 101, 142, 80, 75, 63, 68, 90, 73}},
  };
  // clang-format on
  return *kCities;
}

const City* FindCity(absl::string_view text) {
  for (const City& city : Cities()) {
    if (absl::EqualsIgnoreCase(city.id, text) || absl::EqualsIgnoreCase(city.name, text)) {
      return &city;
    }
  }
  return nullptr;
}

double MeanTemperature(const City& city, absl::CivilDay day) {
  absl::CivilMonth before(day);
  if (day < MiddleOf(before)) --before;
  const absl::CivilMonth after = before + 1;
  const double share = static_cast<double>(day - MiddleOf(before)) /
                       static_cast<double>(MiddleOf(after) - MiddleOf(before));
  return (1 - share) * city.temperature[before.month() - 1] +
         share * city.temperature[after.month() - 1];
}

double HoursOfDaylight(double latitude, absl::CivilDay day) {
  const double declination =
      Radians(kAxialTilt) * std::sin(2 * kPi * (284 + absl::GetYearDay(day)) / 365);
  const double cosine = -std::tan(Radians(latitude)) * std::tan(declination);
  return 24 / kPi * std::acos(std::clamp(cosine, -1.0, 1.0));
}

}  // namespace weather
