// No field of the contract is named like a keyword of a language that plugins are written in, or
// like something that every generated message of that language has, as that language's generator
// spells fields: such names are mangled, or do not compile (in Rust, a field `default` hides the
// trait's function). Two of the hub's own words stay: Parameter.string, which Go writes `String_`,
// and `description`, which Swift writes `description_p`.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "atomemo/admin/v1/admin_service.pb.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;
using Words = std::set<std::string>;

Words Split(const char* words) {
  return absl::StrSplit(words, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

// What a language reserves, and how its generator spells a field.
struct Language {
  const char* name;
  bool pascal_case;
  Words reserved;
};

const std::vector<Language>& Languages() {
  static const auto* const languages = new std::vector<Language>{
      {"Python", false,
       Split("False None True and as assert async await break class continue def del elif else "
             "except finally for from global if import in "
             "is lambda nonlocal not or pass raise return try while with yield")},
      {"Rust", false,
       Split("abstract as async await become box break const continue crate do dyn else enum "
             "extern false final fn for gen if impl in let loop "
             "macro match mod move mut override priv pub ref return self static struct super trait "
             "true try type typeof unsafe unsized use "
             "virtual where while yield "
             // Functions of traits that messages have.
             "default clone clone_from eq ne cmp partial_cmp fmt hash from into try_from try_into "
             "to_owned to_string type_id borrow "
             "encode encoded_len decode merge clear")},
      // Fields are only seen in getX and setX: these are taken.
      {"Java", false,
       Split("class all_fields default_instance_for_type descriptor_for_type "
             "initialization_error_string parser_for_type serialized_size "
             "unknown_fields")},
      {"Kotlin", false,
       Split("as break class continue do else false for fun if in interface is null object package "
             "return super this throw true try typealias "
             "typeof val var when while")},
      {"TypeScript", false,
       Split("break case catch class const continue debugger default delete do else enum export "
             "extends false finally for function if "
             "implements import in instanceof interface let new null package private protected "
             "public return static super switch this "
             "throw true try typeof var void while with yield await constructor to_string to_json "
             "value_of")},
      {"Swift", false,
       Split("associatedtype class deinit enum extension fileprivate func import init inout "
             "internal let operator precedencegroup private "
             "protocol public rethrows static struct subscript typealias var break case catch "
             "continue default defer do else fallthrough "
             "for guard if in repeat return throw switch where while any as await false is nil "
             "self super throws true try "
             // Properties that messages have.
             "debug_description description hash_value is_initialized unknown_fields")},
      // In these two fields start in upper case, and no keyword does: what is taken are methods and
      // properties of every message.
      {"Go", true,
       Split("Descriptor ExtensionMap ExtensionRangeArray Marshal ProtoMessage ProtoReflect Reset "
             "String Unmarshal")},
      {"C#", true,
       Split("CalculateSize Clone Descriptor Equals GetHashCode GetType MergeFrom OnConstruction "
             "Parser ToString Types WriteTo")},
  };
  return *languages;
}

std::string PascalCase(const std::string& name) {
  std::string pascal;
  for (const absl::string_view word : absl::StrSplit(name, '_')) {
    if (word.empty()) continue;
    pascal += absl::ascii_toupper(static_cast<unsigned char>(word[0]));
    pascal += std::string(word.substr(1));
  }
  return pascal;
}

void CheckName(const std::string& name, const Descriptor& message,
               std::vector<std::string>& found) {
  for (const Language& language : Languages()) {
    if (language.reserved.count(language.pascal_case ? PascalCase(name) : name) > 0) {
      found.push_back(absl::StrCat(message.full_name(), ".", name, " (", language.name, ")"));
    }
  }
  if (PascalCase(name) == message.name()) {
    found.push_back(
        absl::StrCat(message.full_name(), ".", name, " (C#: a class has no member of its name)"));
  }
}

void CheckMessage(const Descriptor& message, std::vector<std::string>& found) {
  if (message.options().map_entry()) return;
  for (int i = 0; i < message.field_count(); ++i)
    CheckName(message.field(i)->name(), message, found);
  for (int i = 0; i < message.nested_type_count(); ++i)
    CheckMessage(*message.nested_type(i), found);
}

// `file`, and what of ours it needs.
void CheckFile(const FileDescriptor& file, std::set<std::string>& seen,
               std::vector<std::string>& found) {
  if (!absl::StartsWith(file.package(), "atomemo.") || !seen.insert(file.name()).second) return;
  for (int i = 0; i < file.message_type_count(); ++i) CheckMessage(*file.message_type(i), found);
  for (int i = 0; i < file.dependency_count(); ++i) CheckFile(*file.dependency(i), seen, found);
}

TEST(ProtoNames, NoneIsReservedInALanguageOfPlugins) {
  std::set<std::string> seen;
  std::vector<std::string> found;
  CheckFile(*admin::v1::GetStatusResponse::descriptor()->file(), seen, found);
  EXPECT_EQ(seen.size(), 6u);
  for (const std::string& name : found) {
    const bool is_known = name == "atomemo.plugin.v1.Parameter.string (Go)" ||
                          absl::StrContains(name, ".description (Swift)");
    EXPECT_TRUE(is_known) << name;
  }
}

TEST(ProtoNames, ReservedOnesAreFound) {
  const Descriptor& message = *plugin::v1::Parameter::descriptor();
  for (const char* name : {"default", "type", "enum", "switch", "object", "string", "extension",
                           "class", "from", "parameter"}) {
    std::vector<std::string> found;
    CheckName(name, message, found);
    EXPECT_NE(found, std::vector<std::string>()) << name;
  }
}

}  // namespace
}  // namespace atomemo
