#ifndef ATOMEMO_INTERNAL_BUILDER_H_
#define ATOMEMO_INTERNAL_BUILDER_H_

#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"
#include "atomemo/json.h"

namespace atomemo::internal {

// What all definition builders share: a JSON object under construction. `Derived` is the builder
// itself, so that calls chain.
template <typename Derived>
class Builder {
 public:
  // The value in the official form.
  const Json& ToJson() const { return json_; }

 protected:
  Derived& Set(const char* key, Json value) {
    json_[key] = Tidy(std::move(value));
    return static_cast<Derived&>(*this);
  }
  Derived& Append(const char* key, Json value) {
    json_[key].push_back(Tidy(std::move(value)));
    return static_cast<Derived&>(*this);
  }
  // Sets a member of the object `key`, which is made if it is missing.
  Derived& SetIn(const char* key, absl::string_view member, Json value) {
    json_[key][std::string(member)] = Tidy(std::move(value));
    return static_cast<Derived&>(*this);
  }

  // Whole numbers are written as such: 443, not 443.0.
  static Json Tidy(Json value) {
    constexpr double kExactIntegers = 9007199254740992;  // 2^53
    if (value.is_structured()) {
      for (Json& element : value) element = Tidy(std::move(element));
    } else if (value.is_number_float()) {
      const auto number = value.get<double>();
      if (std::trunc(number) == number && std::abs(number) <= kExactIntegers) {
        return static_cast<std::int64_t>(number);
      }
    }
    return value;
  }

  Json json_ = Json::object();
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_INTERNAL_BUILDER_H_
