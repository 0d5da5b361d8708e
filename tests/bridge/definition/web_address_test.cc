#include "bridge/definition/web_address.h"

#include "bridge/definition/host_name.h"
#include "gtest/gtest.h"

namespace atomemo::definition {
namespace {

bool Accepts(absl::string_view text) { return !CheckWebAddress(text).has_value(); }

TEST(WebAddress, IsReadAsBrowsersReadIt) {
  for (const char* good :
       {"https://example.com", "HTTP://EXAMPLE.COM", "https:example.com", "https:/example.com",
        "https:\\\\example.com", "ht\ntps://example.com", "https://user:pw@example.com:8443/p?q#h",
        "https://example.com:", "https://a@b@example.com"}) {
    EXPECT_TRUE(Accepts(good)) << good;
  }
}

TEST(WebAddress, NeedsAPublicDomainName) {
  for (const char* bad :
       {"https://localhost", "http://127.0.0.1/v1", "http://[::1]/", "https://example",
        "https://example.c", "https://-example.com", "https://exa_mple.com", "https://example.123",
        "https://", "https://.com"}) {
    EXPECT_FALSE(Accepts(bad)) << bad;
  }
}

TEST(WebAddress, NeedsHttpAndAPossiblePort) {
  for (const char* bad : {"", "ftp://example.com", "//example.com", "git+https://example.com",
                          "https://example.com:99999", "https://example.com:8a"}) {
    EXPECT_FALSE(Accepts(bad)) << bad;
  }
  EXPECT_TRUE(Accepts("https://example.com:0"));
}

TEST(WebAddress, IsTrimmedOfJavaScriptsWhiteSpace) {
  EXPECT_EQ(TrimWhitespace(" \t\u00a0\u3000https://a.io\ufeff\n"), "https://a.io");
  EXPECT_EQ(TrimWhitespace("\u0085a"), "\u0085a");
}

TEST(HostName, IsEncodedForTheDns) {
  EXPECT_EQ(ToAsciiHostName("例え.jp"), "xn--r8jz45g.jp");
  EXPECT_EQ(ToAsciiHostName("B\u00dcCHER.de"), "xn--bcher-kva.de");
  EXPECT_EQ(ToAsciiHostName("\U0001f4a9.la"), "xn--ls8h.la");
  EXPECT_EQ(ToAsciiHostName("ex\u3002ample.\uff43\uff4f\uff4d"), "ex.ample.com");
  EXPECT_EQ(ToAsciiHostName("a\u00adb.com"), "ab.com");
}

TEST(HostName, RefusesWhatHasNoAsciiForm) {
  EXPECT_EQ(ToAsciiHostName("a\ufffd.com"), std::nullopt);  // prohibited
  EXPECT_EQ(ToAsciiHostName("\u05d0a.com"), std::nullopt);  // mixes directions
  EXPECT_EQ(ToAsciiHostName("\u00e9..com"), std::nullopt);  // an empty label
  EXPECT_EQ(ToAsciiHostName("\u00e9" + std::string(70, 'a') + ".com"), std::nullopt);
  EXPECT_EQ(ToAsciiHostName(std::string(2'000'000, '\xc3')), std::nullopt);
}

}  // namespace
}  // namespace atomemo::definition
