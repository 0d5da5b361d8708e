#ifndef ATOMEMO_BRIDGE_DEFINITION_SPELLING_H_
#define ATOMEMO_BRIDGE_DEFINITION_SPELLING_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace atomemo::definition {

// The known word that `word` was probably meant to be: another spelling of it (`displayName`), the
// name that another language has for it (`float`), its beginning (`int`), or a slip or two away.
// Empty if there is none.
absl::string_view ClosestWord(absl::string_view word, const std::vector<absl::string_view>& known);

// `; did you mean "x"?`, or nothing.
std::string DidYouMean(absl::string_view word, const std::vector<absl::string_view>& known);

}  // namespace atomemo::definition

#endif  // ATOMEMO_BRIDGE_DEFINITION_SPELLING_H_
