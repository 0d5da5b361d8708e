#ifndef ATOMEMO_EXAMPLES_WEATHER_CLIMATE_H_
#define ATOMEMO_EXAMPLES_WEATHER_CLIMATE_H_

#include <array>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace weather {

// What a place is like over the year: rounded long-term means.
struct City {
  std::string id;                        // "new-york"
  std::string name;                      // "New York"
  double latitude;                       // degrees, north is positive
  std::array<double, 12> temperature;    // °C by month
  std::array<double, 12> precipitation;  // mm by month
};

const std::vector<City>& Cities();

// By id or name, whatever the case. Null if it is not known.
const City* FindCity(absl::string_view text);

// The mean temperature of a day, in °C: monthly means, interpolated between the middles of months.
double MeanTemperature(const City& city, absl::CivilDay day);

// From sunrise to sunset, in hours: 0 in the polar night, 24 under the midnight sun.
double HoursOfDaylight(double latitude, absl::CivilDay day);

}  // namespace weather

#endif  // ATOMEMO_EXAMPLES_WEATHER_CLIMATE_H_
