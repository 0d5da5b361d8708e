#include "bridge/definition/facts.h"

#include <algorithm>

#include "bridge/definition/parameters.h"

namespace atomemo::definition {
namespace {

using base::Json;

constexpr absl::Duration kLongestTimeout = absl::Minutes(30);
constexpr const char* kParameterLists[] = {"parameters", "settings"};

void CollectMethods(const Json& parameter, ViolationSink& sink, ToolFacts& facts) {
  const std::string type = StringMember(parameter, "type");
  if (type == "resource_mapper") {
    facts.mapping_methods.insert(StringMember(parameter, "mapping_method"));
  } else if (type == "resource_locator") {
    for (const Json& mode : parameter["modes"]) {
      if (FindMember(mode, "search_list_method") != nullptr) {
        facts.locator_methods.insert(StringMember(mode, "search_list_method"));
      }
    }
  }
  ForEachChild(parameter, sink, [&](const Json& child) { CollectMethods(child, sink, facts); });
}

// The credentials that a tool names.
class MentionFinder {
 public:
  std::vector<Mention> Find(const Json& tool) {
    if (const Json* list = FindMember(tool, "credentials")) {
      const Step at_list(at_, absl::string_view("credentials"));
      for (std::size_t i = 0; i < list->size(); ++i) {
        const Step at_name(at_, i);
        Take((*list)[i].get_ref<const std::string&>());
      }
    }
    for (const char* name : kParameterLists) {
      const Json* parameters = FindMember(tool, name);
      if (parameters == nullptr) continue;
      const Step at_parameters(at_, absl::string_view(name));
      for (std::size_t i = 0; i < parameters->size(); ++i) {
        const Step at_parameter(at_, i);
        Visit((*parameters)[i]);
      }
    }
    return std::move(mentions_);
  }

 private:
  using Step = ViolationSink::Step;

  void Visit(const Json& parameter) {
    if (StringMember(parameter, "type") == "credential_id") {
      const Step step(at_, absl::string_view("credential_name"));
      Take(StringMember(parameter, "credential_name"));
    }
    ForEachChild(parameter, at_, [this](const Json& child) { Visit(child); });
  }

  void Take(const std::string& name) {
    if (mentions_.size() < kMaxViolations && seen_.insert(name).second) {
      mentions_.push_back({at_.path(), name});
    }
  }

  ViolationSink at_;  // for where the walk stands
  absl::flat_hash_set<std::string> seen_;
  std::vector<Mention> mentions_;
};

}  // namespace

ToolFacts ExtractToolFacts(const Json& tool) {
  ToolFacts facts;
  if (const Json* timeout = FindMember(tool, "timeout")) {
    facts.timeout = std::min(absl::Milliseconds(timeout->get<double>()), kLongestTimeout);
  }
  ViolationSink unused;
  for (const char* name : kParameterLists) {
    const Json* parameters = FindMember(tool, name);
    if (parameters == nullptr) continue;
    for (const Json& parameter : *parameters) CollectMethods(parameter, unused, facts);
  }
  return facts;
}

std::vector<Mention> FindMentionedCredentials(const Json& tool) {
  return MentionFinder().Find(tool);
}

}  // namespace atomemo::definition
