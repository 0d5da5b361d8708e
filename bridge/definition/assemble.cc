#include "bridge/definition/assemble.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bridge/definition/checker.h"
#include "bridge/definition/lint.h"
#include "bridge/definition/messages.h"
#include "bridge/definition/parameters.h"
#include "bridge/definition/spelling.h"

namespace atomemo::definition {
namespace {

using base::Json;

// A list's name in a definition, and what one element of it is called.
struct ListNames {
  PartKind kind;
  absl::string_view list;
  absl::string_view part;
};

// In the order in which the hub gets them.
constexpr ListNames kLists[] = {{PartKind::kCredential, "credentials", "credential"},
                                {PartKind::kModel, "models", "model"},
                                {PartKind::kTool, "tools", "tool"}};

const ListNames& NamesOf(PartKind kind) {
  for (const ListNames& names : kLists) {
    if (names.kind == kind) return names;
  }
  return kLists[0];
}

// Of credentials, in all tools. Beyond that nothing is said of them.
constexpr std::size_t kMaxMentions = 10'000;

// Takes a list out of a definition.
Json::array_t Extract(Json& definition, absl::string_view list) {
  auto& members = definition.get_ref<Json::object_t&>();
  Json::object_t rest;
  Json::array_t found;
  for (auto& [name, value] : members) {
    if (name == list) {
      found = std::move(value.get_ref<Json::array_t&>());
    } else {
      rest.emplace_back(name, std::move(value));
    }
  }
  members = std::move(rest);
  return found;
}

}  // namespace

std::vector<plugin::v1::DefinitionViolation> ToProto(const std::vector<Violation>& violations) {
  std::vector<plugin::v1::DefinitionViolation> messages;
  messages.reserve(violations.size());
  for (const Violation& violation : violations) {
    plugin::v1::DefinitionViolation& message = messages.emplace_back();
    message.set_path(FormatPath(violation.path));
    message.set_message(violation.message);
  }
  return messages;
}

Part MakePart(PartKind kind, const Json& json) {
  Part part;
  part.kind = kind;
  part.name = StringMember(json, "name");
  part.json = base::DumpJson(json);
  if (kind == PartKind::kTool) {
    part.tool = ExtractToolFacts(json);
    part.credentials = FindMentionedCredentials(json);
  }
  return part;
}

Report JudgePlugin(Json plugin, const DefaultTexts& defaults) {
  const auto fill = [&plugin](const char* name, const std::string& text) {
    const auto member = plugin.find(name);
    const bool is_set = member != plugin.end() && !member->is_null() && *member != "";
    if (!text.empty() && !is_set) plugin[name] = text;
  };
  if (plugin.is_object()) {
    if (!plugin.contains("lang")) plugin["lang"] = "typescript";
    fill("author", defaults.author);
    fill("email", defaults.email);
  }
  return Validate(Schema::kDefinition, std::move(plugin));
}

Draft::Draft(Json plugin) {
  for (const ListNames& names : kLists) {
    for (const Json& element : Extract(plugin, names.list)) {
      Part part = MakePart(names.kind, element);
      part.credentials.clear();            // judged with the whole
      Add(std::move(part)).IgnoreError();  // cannot fail, as the whole is valid
    }
  }
  name_ = StringMember(plugin, "name");
  version_ = StringMember(plugin, "version");
  warnings_ = LintOwnTexts(plugin);
  texts_ = base::DumpJson(plugin);
  texts_.pop_back();
  bytes_ += texts_.size();
}

absl::Status Draft::Add(Part part) {
  List& list = ListOf(part.kind);
  const ListNames& names = NamesOf(part.kind);
  if (list.parts.size() >= kMaxListLength) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a plugin may have at most ", kMaxListLength, " ", names.list));
  }
  if (!list.names.insert(part.name).second) {
    return absl::AlreadyExistsError(absl::StrCat(
        "the session has a ", names.part, " with the name ", Excerpt(part.name), " already"));
  }
  bytes_ += part.json.size();
  mentions_ += part.credentials.size();
  if (mentions_ > kMaxMentions) part.credentials.clear();
  list.parts.push_back(std::move(part));
  return absl::OkStatus();
}

DefinitionPtr Draft::Assemble() const {
  auto definition = std::make_shared<Definition>();
  std::string& json = definition->json;
  json.reserve(bytes_ + 100);
  json = texts_;
  for (const ListNames& names : kLists) {
    absl::StrAppend(&json, ",\"", names.list, "\":[");
    const char* separator = "";
    for (const Part& part : ListOf(names.kind).parts) {
      absl::StrAppend(&json, separator, part.json);
      separator = ",";
    }
    json += ']';
  }
  json += '}';

  DefinitionFacts& facts = definition->facts;
  facts.name = name_;
  facts.version = version_;
  facts.credentials = ListOf(PartKind::kCredential).names;
  for (const Part& tool : ListOf(PartKind::kTool).parts) facts.tools.emplace(tool.name, tool.tool);
  definition->warnings = warnings_;
  WarnOfUnknownCredentials(definition->warnings);
  return definition;
}

void Draft::WarnOfUnknownCredentials(std::vector<Violation>& warnings) const {
  const auto& known = ListOf(PartKind::kCredential).names;
  std::size_t tool_index = 0;
  for (const Part& tool : ListOf(PartKind::kTool).parts) {
    const std::size_t index = tool_index++;
    for (const Mention& mention : tool.credentials) {
      if (known.contains(mention.name)) continue;
      if (warnings.size() == kMaxViolations) return;
      std::string message =
          absl::StrCat("no credential of this plugin has this name: ", Excerpt(mention.name));
      if (warnings.size() < kMaxSuggestions) {
        message += DidYouMean(mention.name, {known.begin(), known.end()});
      }
      Path path = {std::string("tools"), index};
      path.insert(path.end(), mention.path.begin(), mention.path.end());
      warnings.push_back({std::move(path), std::move(message)});
    }
  }
}

}  // namespace atomemo::definition
