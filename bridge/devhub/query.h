#ifndef ATOMEMO_BRIDGE_DEVHUB_QUERY_H_
#define ATOMEMO_BRIDGE_DEVHUB_QUERY_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace atomemo::devhub {

using Query = std::map<std::string, std::string>;

// Splits a URL's query (without `?`) and decodes names and values. Of a repeated name the last
// value counts, as in Phoenix.
Query ParseQuery(absl::string_view text);

// Decodes `%41`; an escape that is none stays as it is.
std::string PercentDecode(absl::string_view text);

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_QUERY_H_
