#ifndef ATOMEMO_SDK_CPP_SRC_MAKE_ERROR_H_
#define ATOMEMO_SDK_CPP_SRC_MAKE_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "atomemo/json.h"

namespace atomemo::internal {

// Like Error(), with the error's class as well.
absl::Status MakeError(absl::string_view code, absl::string_view name, absl::string_view message,
                       Json details = Json::object());

}  // namespace atomemo::internal

#endif  // ATOMEMO_SDK_CPP_SRC_MAKE_ERROR_H_
