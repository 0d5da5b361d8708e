#ifndef ATOMEMO_BRIDGE_PAYLOAD_ANSWERS_H_
#define ATOMEMO_BRIDGE_PAYLOAD_ANSWERS_H_

#include <string>

#include "absl/status/statusor.h"
#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::payload {

namespace pb = ::atomemo::plugin::v1;

// Of the errors that led to one, so many are told.
inline constexpr int kMaxCauses = 16;

// What a plugin's answer becomes in the hub's `data`: the text of one JSON value. JSON that the
// plugin gave as text is checked and then stands in it byte for byte (see base::CheckJson).
//
// An answer that the hub would not understand is INVALID_ARGUMENT with a pb::DefinitionViolations
// as payload (see router::GetViolations) that names every wrong field. The message contains none of
// the answer's values. The violations are for the plugin and the hub, not for logs: about JSON that
// cannot be read they quote up to 40 bytes around the place, unless it is that of a credential.
// Pure.
absl::StatusOr<std::string> AnswerJson(const pb::AuthenticateResult& result);
// May be large: its text is taken rather than copied.
absl::StatusOr<std::string> AnswerJson(pb::InvokeResult result);
absl::StatusOr<std::string> AnswerJson(const pb::ListResourcesResult& result);
absl::StatusOr<std::string> AnswerJson(const pb::MapResourceResult& result);

// Such violations in one text.
std::string DescribeViolations(const pb::DefinitionViolations& violations);

// `step` is the one that was asked for: the answer must fit it. STEP_NOT_SET: nobody knows, any
// answer will do.
absl::StatusOr<std::string> AnswerJson(const pb::OAuth2Result& result,
                                       pb::OAuth2Step::StepCase step);

}  // namespace atomemo::payload

#endif  // ATOMEMO_BRIDGE_PAYLOAD_ANSWERS_H_
