#include "bridge/base/redact.h"

#include <gtest/gtest.h>

namespace atomemo::base {
namespace {

TEST(RedactTest, AUrlLosesUserInfoQueryAndFragment) {
  EXPECT_EQ(RedactUrl("wss://user:pass@hub.example.com/path?api_key=secret#f"),
            "wss://hub.example.com/path");
  EXPECT_EQ(RedactUrl("wss://hub.example.com"), "wss://hub.example.com");
  EXPECT_EQ(RedactUrl("/path?token=secret"), "/path");
}

TEST(RedactTest, EveryUrlInATextIsRedacted) {
  EXPECT_EQ(RedactText("GET \"https://s3/x?sig=1\" failed, tried http://u:p@h/y?z=2 too"),
            "GET \"https://s3/x\" failed, tried http://h/y too");
  EXPECT_EQ(RedactText("no address here"), "no address here");
}

}  // namespace
}  // namespace atomemo::base
