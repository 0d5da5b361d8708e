#ifndef ATOMEMO_BRIDGE_DEVHUB_FILE_ENDPOINT_H_
#define ATOMEMO_BRIDGE_DEVHUB_FILE_ENDPOINT_H_

#include "absl/time/time.h"
#include "bridge/devhub/file_store.h"
#include "bridge/devhub/http_message.h"
#include "bridge/devhub/url_signer.h"

namespace atomemo::devhub {

// Serves presigned URLs: `GET` and `PUT /files/{key}`. The signature is the whole permission, as
// with an object store. What it is given must outlive it.
class FileEndpoint {
 public:
  FileEndpoint(FileStore& store, const UrlSigner& signer) : store_(store), signer_(signer) {}

  HttpResponse Serve(const HttpRequest& request, absl::Time now);

 private:
  FileStore& store_;
  const UrlSigner& signer_;
};

}  // namespace atomemo::devhub

#endif  // ATOMEMO_BRIDGE_DEVHUB_FILE_ENDPOINT_H_
