#include "bridge/hub/hub_refusal.h"

#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bridge/base/json.h"
#include "bridge/base/redact.h"
#include "bridge/definition/messages.h"

namespace atomemo::hub {
namespace {

using base::Json;

constexpr std::size_t kMaxViolations = 100;
constexpr std::size_t kMaxTextBytes = 2000;

std::string Clean(absl::string_view text) {
  return base::RedactText(definition::CutText(text, kMaxTextBytes));
}

// The first of `names` that is a text, or empty.
std::string FirstText(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) continue;
    const auto& text = found->get_ref<const std::string&>();
    if (!text.empty()) return Clean(text);
  }
  return "";
}

std::string Join(absl::string_view path, absl::string_view name) {
  return Clean(path.empty() ? std::string(name) : absl::StrCat(path, ".", name));
}

// A path given as text, or as a list of names and indices.
std::string PathOf(const Json& path) {
  if (path.is_string()) return Clean(path.get_ref<const std::string&>());
  std::string out;
  if (!path.is_array()) return out;
  for (const Json& segment : path) {
    if (segment.is_string()) out = Join(out, segment.get_ref<const std::string&>());
    if (segment.is_number_integer()) absl::StrAppend(&out, "[", segment.get<std::int64_t>(), "]");
  }
  return out;
}

class ViolationReader {
 public:
  void Read(const Json& error, const std::string& path) {
    if (violations_.size() >= kMaxViolations) return;
    if (error.is_string()) {
      Add(path, Clean(error.get_ref<const std::string&>()));
    } else if (error.is_array()) {
      ReadList(error, path);
    } else if (error.is_object()) {
      ReadObject(error, path);
    }
  }

  std::vector<router::pb::DefinitionViolation> Take() { return std::move(violations_); }

 private:
  void Add(const std::string& path, std::string message) {
    router::pb::DefinitionViolation violation;
    violation.set_path(path);
    violation.set_message(std::move(message));
    violations_.push_back(std::move(violation));
  }

  // A position in a list of errors says nothing to a person: the errors name their own places.
  void ReadList(const Json& errors, const std::string& path) {
    for (const Json& error : errors) Read(error, path);
  }

  // An error object, or an object of errors by name.
  void ReadObject(const Json& error, const std::string& path) {
    std::string own_path = path;
    for (const char* name : {"path", "field", "pointer"}) {
      const auto found = error.find(name);
      if (found == error.end()) continue;
      if (std::string text = PathOf(*found); !text.empty()) own_path = Join(path, text);
    }
    std::string message = FirstText(error, {"message", "reason"});
    if (!message.empty()) {
      Add(own_path, std::move(message));
      const auto nested = error.find("suberrors");
      if (nested != error.end()) Read(*nested, own_path);
      return;
    }
    for (const auto& [name, nested] : error.items()) Read(nested, Join(path, name));
  }

  std::vector<router::pb::DefinitionViolation> violations_;
};

}  // namespace

HubRefusal ReadRefusal(absl::string_view response) {
  HubRefusal refusal;
  const absl::StatusOr<Json> parsed = base::ParseJson(response);
  if (parsed.ok() && parsed->is_string()) {
    refusal.message = Clean(parsed->get_ref<const std::string&>());
  } else if (parsed.ok() && parsed->is_object()) {
    refusal.message = FirstText(*parsed, {"message", "reason", "code"});
    for (const char* name : {"suberrors", "errors"}) {
      const auto errors = parsed->find(name);
      if (errors == parsed->end()) continue;
      ViolationReader reader;
      reader.Read(*errors, "");
      refusal.violations = reader.Take();
      if (!refusal.violations.empty()) break;
    }
  }
  if (refusal.message.empty()) refusal.message = "the hub gave no reason";
  return refusal;
}

}  // namespace atomemo::hub
