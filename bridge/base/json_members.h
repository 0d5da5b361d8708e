#ifndef ATOMEMO_BRIDGE_BASE_JSON_MEMBERS_H_
#define ATOMEMO_BRIDGE_BASE_JSON_MEMBERS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace atomemo::base {

// The members of one JSON object, as texts cut out of it byte for byte. The object's text must
// outlive this.
class JsonMembers {
 public:
  struct Member {
    std::string name;
    // One JSON value without surrounding space.
    absl::string_view value;
  };

  // Where a member stands in its object's text.
  struct Place {
    std::string name;
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  // INVALID_ARGUMENT if `object` is not the text of an object.
  static absl::StatusOr<JsonMembers> Cut(absl::string_view object);
  // Of an object that was read before.
  static JsonMembers At(const std::vector<Place>& places, absl::string_view object);

  // Removes the member and returns its value; nothing if there is none or it is null. Of members
  // with the same name the last one counts.
  std::optional<absl::string_view> Take(absl::string_view name);

  // Whether there is such a member, and be it null.
  bool Has(absl::string_view name) const;

  // In the order of the text.
  const std::vector<Member>& rest() const { return members_; }

  // What was not taken, as an object's text.
  std::string RestAsObject() const;

 private:
  std::vector<Member> members_;
};

// The value of a JSON string; nothing if `value` is not one. `value` must be valid JSON.
std::optional<std::string> UnquoteJson(absl::string_view value);

// Of one member of an object's text, where nothing else is asked of it; anything but an object has
// none. The string that it is; nothing when it is missing or no string.
std::optional<std::string> StringMember(absl::string_view object, absl::string_view name);
// The exact text of the object that it is; nothing otherwise.
std::optional<std::string> ObjectMember(absl::string_view object, absl::string_view name);

// The text of an object without a member `name`, with that one put first; `json` is its value.
std::string PrependMember(absl::string_view object, absl::string_view name, absl::string_view json);

// "an object", "a string", ...: what kind of JSON value it is, for a person.
absl::string_view DescribeJson(absl::string_view value);

}  // namespace atomemo::base

#endif  // ATOMEMO_BRIDGE_BASE_JSON_MEMBERS_H_
