#ifndef ATOMEMO_SDK_CPP_SRC_CHECK_ANSWER_H_
#define ATOMEMO_SDK_CPP_SRC_CHECK_ANSWER_H_

#include "absl/status/status.h"
#include "sdk-cpp/src/call_data.h"

namespace atomemo::internal {

// INVALID_ARGUMENT, with the place, if JSON cannot say a number in `json`: NaN or an infinity.
absl::Status CheckNumbers(const Json& json);

// "sdk:invalid_return" if the hub could not be told what a handler answered.
absl::Status CheckAnswer(const CallRequest& request, const Answer& answer);

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_CHECK_ANSWER_H_
