#include "bridge/plugin_service/large_reply.h"

#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"
#include "bridge/definition/answers.h"
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

struct Reader {
  router::PluginReply& reply;

  void operator()(pb::CallFailure& failure) const {
    if (failure.error().has_details()) WriteAsText(*failure.mutable_error()->mutable_details());
  }
  // What its answer must be depends on the call.
  void operator()(pb::OAuth2Result& result) const {
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
