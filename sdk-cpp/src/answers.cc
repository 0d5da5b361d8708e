#include "atomemo/answers.h"

namespace atomemo {
namespace {

const char* Name(LlmAdapter::Kind kind) {
  switch (kind) {
    case LlmAdapter::Kind::kAnthropic:
      return "anthropic";
    case LlmAdapter::Kind::kOpenAi:
      return "openai";
    case LlmAdapter::Kind::kGoogleAi:
      return "google_ai";
    case LlmAdapter::Kind::kDeepSeek:
      return "deepseek";
  }
  return "";
}

}  // namespace

void to_json(Json& json, const LlmAdapter& adapter) {
  json = Json{{"adapter", Name(adapter.adapter)}, {"api_key", adapter.api_key}};
  if (adapter.endpoint) json["endpoint"] = *adapter.endpoint;
  if (adapter.model) json["model"] = *adapter.model;
  if (!adapter.headers.empty()) json["headers"] = adapter.headers;
}

}  // namespace atomemo
