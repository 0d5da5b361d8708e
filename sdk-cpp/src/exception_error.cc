#include "sdk-cpp/src/exception_error.h"

#include <cxxabi.h>

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "atomemo/error.h"

namespace atomemo::internal {
namespace {

// As many as the bridge tells of.
constexpr std::size_t kMaxCauses = 16;

// The type of the exception that is being handled.
std::string CurrentExceptionName() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "exception";
  int failed = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &failed), &std::free);
  absl::string_view name = failed == 0 && demangled != nullptr ? demangled.get() : type->name();
  // What std::throw_with_nested makes of a type, in libstdc++ and libc++.
  if (absl::ConsumePrefix(&name, "std::_Nested_exception<") ||
      absl::ConsumePrefix(&name, "std::__nested<")) {
    absl::ConsumeSuffix(&name, ">");
  }
  return std::string(name);
}

// The exception that is being handled; `cause` becomes the one that is nested in it, if there is.
ErrorAnswer Describe(std::exception_ptr& cause) {
  ErrorAnswer answer{"", CurrentExceptionName(),
                     "a handler threw something that is no std::exception"};
  try {
    throw;
  } catch (const std::exception& exception) {
    answer.message = exception.what();
    if (const auto* nested = dynamic_cast<const std::nested_exception*>(&exception)) {
      cause = nested->nested_ptr();
    }
  } catch (...) {
  }
  return answer;
}

}  // namespace

absl::Status CurrentExceptionError() {
  std::exception_ptr cause;
  ErrorAnswer answer = Describe(cause);
  answer.code = "sdk:exception";
  while (cause != nullptr && answer.causes.size() < kMaxCauses) {
    try {
      std::rethrow_exception(std::exchange(cause, nullptr));
    } catch (...) {
      answer.causes.push_back(Describe(cause));
    }
  }
  return Error(answer);
}

}  // namespace atomemo::internal
