#ifndef ATOMEMO_BRIDGE_DEFINITION_ASSEMBLE_H_
#define ATOMEMO_BRIDGE_DEFINITION_ASSEMBLE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/base/json.h"
#include "bridge/definition/facts.h"
#include "bridge/definition/validate.h"
#include "bridge/definition/violations.h"

namespace atomemo::definition {

// What a plugin declares, judged and whole. It is made once, on a thread that may take its time,
// and from then on only read, on any thread.
struct Definition {
  // What the hub is told: all three lists are there, in the order of registration.
  std::string json;
  DefinitionFacts facts;
  // What can be said only of the whole.
  std::vector<Violation> warnings;
};
using DefinitionPtr = std::shared_ptr<const Definition>;

enum class PartKind { kCredential, kTool, kModel };

// A credential, tool or model of a plugin: judged, and reduced to its text and what must be known
// of it.
struct Part {
  PartKind kind;
  std::string name;
  std::string json;
  // Of a tool.
  ToolFacts tool;
  std::vector<Mention> credentials;
};

std::vector<plugin::v1::DefinitionViolation> ToProto(const std::vector<Violation>& violations);

// `json` is valid for the kind's schema.
Part MakePart(PartKind kind, const base::Json& json);

// Who to name where a plugin names nobody. Empty: nobody.
struct DefaultTexts {
  std::string author;
  std::string email;
};

// Judges a plugin's own texts, which may contain parts. `lang` is "typescript" unless the plugin
// says otherwise: the hub knows no language of the bridge's plugins.
Report JudgePlugin(base::Json plugin, const DefaultTexts& defaults = {});

// A definition in the making: what a plugin said of itself, and the parts that it registered since.
// Nothing in it is judged again. Not thread-safe.
class Draft {
 public:
  // Of what JudgePlugin found valid. Parts in it come first.
  explicit Draft(base::Json plugin);

  // ALREADY_EXISTS if there is a part of this kind and name; RESOURCE_EXHAUSTED if the hub would
  // refuse so many.
  absl::Status Add(Part part);

  const std::string& name() const { return name_; }
  // Empty if the plugin has none.
  const std::string& version() const { return version_; }
  // Of the definition's text, roughly.
  std::size_t bytes() const { return bytes_; }
  // How many parts of that kind there are.
  std::size_t size(PartKind kind) const { return ListOf(kind).parts.size(); }
  bool Has(PartKind kind, absl::string_view name) const {
    return ListOf(kind).names.contains(name);
  }

  // The whole, as far as it has come.
  DefinitionPtr Assemble() const;

 private:
  struct List {
    std::vector<Part> parts;
    absl::flat_hash_set<std::string> names;
  };

  List& ListOf(PartKind kind) { return lists_[static_cast<std::size_t>(kind)]; }
  const List& ListOf(PartKind kind) const { return lists_[static_cast<std::size_t>(kind)]; }
  void WarnOfUnknownCredentials(std::vector<Violation>& warnings) const;

  std::string name_;
  std::string version_;
  std::string texts_;  // a JSON object without its closing brace
  std::vector<Violation> warnings_;
  List lists_[3];
  std::size_t bytes_ = 0;
  std::size_t mentions_ = 0;
};

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_ASSEMBLE_H_
