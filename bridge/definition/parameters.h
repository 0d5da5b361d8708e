#ifndef ATOMEMO_BRIDGE_DEFINITION_PARAMETERS_H_
#define ATOMEMO_BRIDGE_DEFINITION_PARAMETERS_H_

#include <string>

#include "bridge/base/json.h"
#include "bridge/definition/violations.h"

// Ways through a valid definition's JSON.
namespace atomemo::definition {

// The member of that name, unless it is missing or null.
inline const base::Json* FindMember(const base::Json& object, const char* name) {
  const auto place = object.find(name);
  return place == object.end() || place->is_null() ? nullptr : &*place;
}

// A string member, or empty.
inline std::string StringMember(const base::Json& object, const char* name) {
  const base::Json* member = FindMember(object, name);
  return member == nullptr ? std::string() : member->get<std::string>();
}

// Calls `visit(child)` for each parameter right inside a parameter, with `sink` standing at it.
template <typename Visit>
void ForEachChild(const base::Json& parameter, ViolationSink& sink, const Visit& visit) {
  for (const char* list : {"properties", "any_of"}) {
    const base::Json* children = FindMember(parameter, list);
    if (children == nullptr) continue;
    const ViolationSink::Step at_list(sink, absl::string_view(list));
    for (std::size_t i = 0; i < children->size(); ++i) {
      const ViolationSink::Step at_child(sink, i);
      visit((*children)[i]);
    }
  }
  for (const char* member : {"items", "additional_properties"}) {
    const base::Json* child = FindMember(parameter, member);
    if (child == nullptr) continue;
    const ViolationSink::Step step(sink, absl::string_view(member));
    visit(*child);
  }
}

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_PARAMETERS_H_
