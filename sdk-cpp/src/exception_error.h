#ifndef ATOMEMO_SDK_CPP_SRC_EXCEPTION_ERROR_H_
#define ATOMEMO_SDK_CPP_SRC_EXCEPTION_ERROR_H_

#include "absl/status/status.h"

namespace atomemo::internal {

// The exception that is being handled as an error: "sdk:exception", with its type as the name, and
// those that are nested in it (std::throw_with_nested) as what led to it.
absl::Status CurrentExceptionError();

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_EXCEPTION_ERROR_H_
