#include "bridge/plugin_service/large_reply.h"

#include <cstddef>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/definition/answers.h"
#include "bridge/definition/messages.h"
#include "bridge/definition/payload.h"

namespace atomemo::plugin_service {
namespace {

namespace pb = ::atomemo::plugin::v1;

// What is wrong with it comes to light where it is used.
void WriteAsText(pb::JsonObject& object) {
  if (!object.has_fields()) return;
  absl::StatusOr<std::string> text = definition::JsonTextOf(object);
  if (text.ok()) object.set_json(*std::move(text));
}

void Shorten(std::string& text) {
  const std::size_t bytes = text.size();
  if (bytes <= kMaxErrorBytes) return;
  text = absl::StrCat(definition::CutText(text, kMaxErrorBytes), "... (", bytes, " bytes)");
}

void Shorten(pb::PluginError& error) {
  if (error.has_details()) WriteAsText(*error.mutable_details());
  const pb::JsonObject& object = error.details();
  const std::size_t details = object.has_json() ? object.json().size() : object.ByteSizeLong();
  for (std::string* text : {error.mutable_code(), error.mutable_name(), error.mutable_message(),
                            error.mutable_stack()}) {
    Shorten(*text);
  }
  if (details <= kMaxErrorBytes) return;
  error.clear_details();
  absl::StrAppend(error.mutable_message(), " (its details of ", details, " bytes are left out)");
}

struct Reader {
  router::PluginReply& reply;

  void operator()(pb::CallFailure& failure) const {
    if (failure.has_error()) Shorten(*failure.mutable_error());
  }
  // What its answer must be depends on the call.
  void operator()(pb::OAuth2Result& result) const {
    if (result.has_data()) WriteAsText(*result.mutable_data());
    if (result.tokens().has_extra_fields()) {
      WriteAsText(*result.mutable_tokens()->mutable_extra_fields());
    }
  }
  template <typename Result>
  void operator()(Result& result) const {
    reply.json = definition::AnswerJson(result);
    Result rest;
    rest.set_request_id(std::move(*result.mutable_request_id()));
    result = std::move(rest);
  }
};

}  // namespace

router::PluginReply ReadInFull(router::PluginReply reply) {
  std::visit(Reader{reply}, reply.payload);
  return reply;
}

}  // namespace atomemo::plugin_service
