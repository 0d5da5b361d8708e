#ifndef ATOMEMO_VALUES_H_
#define ATOMEMO_VALUES_H_

// The values with a type of their own that come in a call's parameters and go into answers.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "atomemo/json.h"

namespace atomemo {

// A file that a workflow passes along.
struct FileRef {
  enum class Source {
    kOss,  // stored by the hub under `res_key`: Call::DownloadFile fetches the bytes
    kMem,  // carried along in `content`
  };

  // A file whose bytes travel inside the answer: for small files. Others: Call::UploadFile.
  static FileRef FromBytes(std::string filename, std::string mime_type, std::string content);

  // Reads `{"__type__":"file_ref", ...}`; all but `source` may be missing or null.
  static absl::StatusOr<FileRef> FromJson(const Json& json);

  Source source = Source::kOss;
  std::optional<std::string> filename;
  // With its dot, for instance ".png".
  std::optional<std::string> extension;
  std::optional<std::string> mime_type;
  // In bytes.
  std::optional<std::int64_t> size;
  std::optional<std::string> res_key;
  std::optional<std::string> remote_url;
  // The bytes themselves, not base64.
  std::optional<std::string> content;
};

// Makes a FileRef usable as a value in JSON: `Json{{"report", file_ref}}`.
void to_json(Json& json, const FileRef& file);

// What a user chose in a resource_locator parameter.
struct ResourceLocator {
  static absl::StatusOr<ResourceLocator> FromJson(const Json& json);

  // "list", "url" or "id".
  std::string mode_name;
  std::optional<std::string> value;
  std::optional<std::string> cached_result_label;
  std::optional<std::string> cached_result_url;
};

void to_json(Json& json, const ResourceLocator& locator);

// What a user mapped in a resource_mapper parameter.
struct ResourceMapper {
  static absl::StatusOr<ResourceMapper> FromJson(const Json& json);

  // "manual" or "auto".
  std::string mapping_mode;
  // An object of field values, a string (an expression), or null.
  Json value;
};

void to_json(Json& json, const ResourceMapper& mapper);

// What a user configured in an llm_config parameter, to be handed to Call::InvokeLlm.
struct LlmConfig {
  static absl::StatusOr<LlmConfig> FromJson(const Json& json);

  // The whole object as it came.
  Json config = Json::object();
  // Parts of it. Where they are changed, they take the place of those in `config`.
  std::optional<std::string> plugin_slug = std::nullopt;
  std::optional<std::string> version_slug = std::nullopt;
  std::optional<std::string> model = std::nullopt;
  std::optional<std::string> credential_instance_id = std::nullopt;
  // For instance {"temperature": 0.2}; null if there are none.
  Json model_params = nullptr;
};

void to_json(Json& json, const LlmConfig& config);

}  // namespace atomemo

#endif  // ATOMEMO_VALUES_H_
