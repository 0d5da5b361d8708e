#ifndef ATOMEMO_BRIDGE_DEVHUB_HUB_CALL_SERVICE_H_
#define ATOMEMO_BRIDGE_DEVHUB_HUB_CALL_SERVICE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bridge/base/json.h"
#include "bridge/devhub/url_signer.h"

namespace atomemo::devhub {

// The hub's answer to a plugin's `hub_call:{event}`.
struct HubCallAnswer {
  bool ok = false;
  base::Json value;  // the data, or the error {code, message}
};

// Where a file is served: the path under which its presigned URL stands.
std::string FilePath(absl::string_view key);

// Answers what plugins ask of the hub: `get_file_url`, `get_upload_url`, and `invoke_llm` with a
// stand-in for a model, which repeats the last message. The signer must outlive it.
class HubCallService {
 public:
  explicit HubCallService(const UrlSigner& signer) : signer_(signer) {}

  // `data` is untrusted; `base_url` is where the asking client reaches this hub, without a slash at
  // its end.
  HubCallAnswer Answer(absl::string_view event, const base::Json& data, absl::string_view base_url,
                       absl::Time now) const;

 private:
  HubCallAnswer GetFileUrl(const base::Json& data, absl::string_view base_url,
                           absl::Time now) const;
  HubCallAnswer GetUploadUrl(const base::Json& data, absl::string_view base_url,
                             absl::Time now) const;

  const UrlSigner& signer_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_HUB_CALL_SERVICE_H_
