#ifndef ATOMEMO_JSON_H_
#define ATOMEMO_JSON_H_

#include <nlohmann/json.hpp>

namespace atomemo {

// JSON, wherever the SDK shows it. 64-bit integers are exact.
using Json = nlohmann::json;

}  // namespace atomemo

#endif  // ATOMEMO_JSON_H_
