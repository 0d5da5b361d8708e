#include "atomemo/values.h"

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace atomemo {
namespace {

// Reads one member after the other of an object, and keeps the first thing that is wrong. A member
// that is missing and one that is null are the same.
class MemberReader {
 public:
  MemberReader(const Json& json, absl::string_view type) : json_(json), type_(type) {
    if (!json.is_object()) {
      Fail(absl::StrCat("expected an object, found ", json.type_name()));
    } else if (const Json* tag = Find("__type__"); tag != nullptr && *tag != std::string(type)) {
      Fail(absl::StrCat("its __type__ is ",
                        tag->dump(-1, ' ', true, Json::error_handler_t::replace)));
    }
  }

  std::optional<std::string> Text(const char* key) {
    const Json* value = Find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) return Wrong(key, "a string", *value);
    return value->get<std::string>();
  }

  std::optional<std::int64_t> Integer(const char* key) {
    const Json* value = Find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number_integer()) return value->get<std::int64_t>();
    // 2^63: every double below it in magnitude is an int64.
    if (value->is_number_float() && std::abs(value->get<double>()) < 9223372036854775808.0) {
      return static_cast<std::int64_t>(value->get<double>());
    }
    Wrong(key, "a number", *value);
    return std::nullopt;
  }

  const absl::Status& status() const { return status_; }
  void Fail(absl::string_view what) {
    if (status_.ok())
      status_ = absl::InvalidArgumentError(absl::StrCat("not a ", type_, ": ", what));
  }

 private:
  const Json* Find(const char* key) const {
    if (!json_.is_object()) return nullptr;
    const auto it = json_.find(key);
    return it == json_.end() || it->is_null() ? nullptr : &*it;
  }
  std::nullopt_t Wrong(const char* key, absl::string_view expected, const Json& found) {
    Fail(absl::StrCat("`", key, "` must be ", expected, ", found ", found.type_name()));
    return std::nullopt;
  }

  const Json& json_;
  const absl::string_view type_;
  absl::Status status_;
};

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

FileRef FileRef::FromBytes(std::string filename, std::string mime_type, std::string content) {
  FileRef file;
  file.source = Source::kMem;
  if (const std::size_t dot = filename.rfind('.'); dot != std::string::npos) {
    file.extension = filename.substr(dot);
  }
  file.filename = std::move(filename);
  file.mime_type = std::move(mime_type);
  file.size = static_cast<std::int64_t>(content.size());
  file.content = std::move(content);
  return file;
}

absl::StatusOr<FileRef> FileRef::FromJson(const Json& json) {
  MemberReader reader(json, "file_ref");
  FileRef file;
  const std::string source = reader.Text("source").value_or("");
  if (source == "mem") {
    file.source = Source::kMem;
  } else if (source != "oss") {
    reader.Fail("`source` must be \"oss\" or \"mem\"");
  }
  file.filename = reader.Text("filename");
  file.extension = reader.Text("extension");
  file.mime_type = reader.Text("mime_type");
  file.size = reader.Integer("size");
  file.res_key = reader.Text("res_key");
  file.remote_url = reader.Text("remote_url");
  if (const auto content = reader.Text("content")) {
    std::string bytes;
    if (!absl::Base64Unescape(*content, &bytes)) reader.Fail("`content` is not base64");
    file.content = std::move(bytes);
  }
  if (!reader.status().ok()) return reader.status();
  return file;
}

void to_json(Json& json, const FileRef& file) {
  json = Json{{"__type__", "file_ref"},
              {"source", file.source == FileRef::Source::kMem ? "mem" : "oss"},
              {"filename", OrNull(file.filename)},
              {"extension", OrNull(file.extension)},
              {"mime_type", OrNull(file.mime_type)},
              {"size", OrNull(file.size)},
              {"res_key", OrNull(file.res_key)},
              {"remote_url", OrNull(file.remote_url)},
              {"content", nullptr}};
  if (file.content) json["content"] = absl::Base64Escape(*file.content);
}

absl::StatusOr<ResourceLocator> ResourceLocator::FromJson(const Json& json) {
  MemberReader reader(json, "resource_locator");
  ResourceLocator locator;
  locator.mode_name = reader.Text("mode_name").value_or("");
  if (locator.mode_name.empty()) reader.Fail("`mode_name` is missing");
  locator.value = reader.Text("value");
  locator.cached_result_label = reader.Text("cached_result_label");
  locator.cached_result_url = reader.Text("cached_result_url");
  if (!reader.status().ok()) return reader.status();
  return locator;
}

void to_json(Json& json, const ResourceLocator& locator) {
  json = Json{{"__type__", "resource_locator"},
              {"mode_name", locator.mode_name},
              {"value", OrNull(locator.value)}};
  if (locator.cached_result_label) json["cached_result_label"] = *locator.cached_result_label;
  if (locator.cached_result_url) json["cached_result_url"] = *locator.cached_result_url;
}

absl::StatusOr<ResourceMapper> ResourceMapper::FromJson(const Json& json) {
  MemberReader reader(json, "resource_mapper");
  ResourceMapper mapper;
  mapper.mapping_mode = reader.Text("mapping_mode").value_or("");
  if (mapper.mapping_mode.empty()) reader.Fail("`mapping_mode` is missing");
  if (!reader.status().ok()) return reader.status();
  mapper.value = json.value("value", Json());
  return mapper;
}

void to_json(Json& json, const ResourceMapper& mapper) {
  json = Json{{"__type__", "resource_mapper"},
              {"mapping_mode", mapper.mapping_mode},
              {"value", mapper.value}};
}

absl::StatusOr<LlmConfig> LlmConfig::FromJson(const Json& json) {
  MemberReader reader(json, "llm_config");
  LlmConfig config;
  config.plugin_slug = reader.Text("plugin_slug");
  config.version_slug = reader.Text("version_slug");
  config.model = reader.Text("model");
  config.credential_instance_id = reader.Text("credential_instance_id");
  if (!reader.status().ok()) return reader.status();
  config.model_params = json.value("model_params", Json());
  config.config = json;
  return config;
}

void to_json(Json& json, const LlmConfig& config) {
  json = config.config;
  const auto put = [&json](const char* key, const Json& value) {
    if (!value.is_null()) json[key] = value;
  };
  put("__type__", "llm_config");
  put("plugin_slug", OrNull(config.plugin_slug));
  put("version_slug", OrNull(config.version_slug));
  put("model", OrNull(config.model));
  put("credential_instance_id", OrNull(config.credential_instance_id));
  put("model_params", config.model_params);
}

}  // namespace atomemo
