#include "bridge/definition/rule_builder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace atomemo::definition {
namespace {

std::string Quoted(const std::vector<absl::string_view>& words) {
  return absl::StrCat("\"", absl::StrJoin(words, "\", \""), "\"");
}

bool IsNamedBefore(const Member& member, absl::string_view name) { return member.name < name; }

}  // namespace

const Member* ObjectRule::Find(absl::string_view name) const {
  const auto place = std::lower_bound(members.begin(), members.end(), name, IsNamedBefore);
  return place != members.end() && place->name == name ? &*place : nullptr;
}

const Rule* RuleBuilder::OneOf(std::vector<absl::string_view> values) {
  std::string expected = absl::StrCat(values.size() == 1 ? "" : "one of ", Quoted(values));
  return Make(std::move(expected), LiteralRule{std::move(values)});
}

const Rule* RuleBuilder::ListOf(const Rule* element, std::string expected) {
  return Make(std::move(expected), ArrayRule{element});
}

const Rule* RuleBuilder::Object(std::vector<Member> members, std::string expected,
                                ObjectCheck check) {
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.name < b.name; });
  return Make(std::move(expected), ObjectRule{std::move(members), check});
}

const Rule* RuleBuilder::Tagged(
    std::string what, absl::string_view tag,
    std::vector<std::pair<absl::string_view, const Rule*>> alternatives) {
  return Make(std::move(what), TaggedRule{tag, std::move(alternatives)});
}

std::vector<Member> Join(std::vector<Member> members, const std::vector<Member>& more) {
  members.insert(members.end(), more.begin(), more.end());
  return members;
}

}  // namespace atomemo::definition
