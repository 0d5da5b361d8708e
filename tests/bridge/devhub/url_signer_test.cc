#include "bridge/devhub/url_signer.h"

#include <gtest/gtest.h>

#include <string>

namespace atomemo::devhub {
namespace {

class UrlSignerTest : public ::testing::Test {
 protected:
  bool Allows(const UrlSigner& signer, absl::string_view method, absl::string_view path,
              absl::Time now) {
    return signer.Check(method, path, query_, now).ok();
  }

  const absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  const UrlSigner signer_{"secret", absl::Minutes(15)};
  Query query_ = ParseQuery(signer_.Sign("GET", "/files/a", now_));
};

TEST_F(UrlSignerTest, AllowsWhatItSignedUntilItExpires) {
  EXPECT_TRUE(Allows(signer_, "GET", "/files/a", now_));
  EXPECT_TRUE(Allows(signer_, "GET", "/files/a", now_ + absl::Minutes(14)));
  EXPECT_FALSE(Allows(signer_, "GET", "/files/a", now_ + absl::Minutes(15)));
}

TEST_F(UrlSignerTest, AllowsNoOtherMethodPathOrSecret) {
  EXPECT_FALSE(Allows(signer_, "PUT", "/files/a", now_));
  EXPECT_FALSE(Allows(signer_, "GET", "/files/b", now_));
  EXPECT_FALSE(Allows(UrlSigner("other", absl::Minutes(15)), "GET", "/files/a", now_));
}

TEST_F(UrlSignerTest, AChangedExpiryOrMissingPartIsRefused) {
  query_["expires"] = "9999999999";
  EXPECT_FALSE(Allows(signer_, "GET", "/files/a", now_));
  query_.erase("expires");
  EXPECT_FALSE(Allows(signer_, "GET", "/files/a", now_));
  query_.clear();
  EXPECT_FALSE(Allows(signer_, "GET", "/files/a", now_));
}

}  // namespace
}  // namespace atomemo::devhub
