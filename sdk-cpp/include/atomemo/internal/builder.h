#ifndef ATOMEMO_INTERNAL_BUILDER_H_
#define ATOMEMO_INTERNAL_BUILDER_H_

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
    json_[key] = std::move(value);
    return static_cast<Derived&>(*this);
  }
  Derived& Append(const char* key, Json value) {
    json_[key].push_back(std::move(value));
    return static_cast<Derived&>(*this);
  }
  // Sets a member of the object `key`, which is made if it is missing.
  Derived& SetIn(const char* key, absl::string_view member, Json value) {
    json_[key][std::string(member)] = std::move(value);
    return static_cast<Derived&>(*this);
  }

  Json json_ = Json::object();
};

}  // namespace atomemo::internal

#endif  // ATOMEMO_INTERNAL_BUILDER_H_
