#include "bridge/router/wire_format.h"

#include <gtest/gtest.h>

#include "atomemo/plugin/v1/plugin_service.pb.h"

namespace atomemo::router {
namespace {

namespace pb = ::atomemo::plugin::v1;

TEST(WireFormatTest, IsReadByProtobuf) {
  for (const std::size_t bytes : {0, 1, 127, 128, 1'024, 1'025, 20'000, 3'000'000}) {
    const auto text =
        std::make_shared<const std::string>("{\"a\":\"" + std::string(bytes, 'x') + "\"}");
    absl::Cord message;
    AppendField(message, pb::Invocation::kToolNameFieldNumber, "forecast");
    AppendField(message, pb::Invocation::kParametersFieldNumber,
                JsonObjectMessage(PartOf(text, *text)));
    pb::Invocation read;
    ASSERT_TRUE(read.ParseFromString(std::string(message))) << bytes;
    EXPECT_EQ(read.tool_name(), "forecast");
    EXPECT_EQ(read.parameters().json(), *text);
  }
}

TEST(WireFormatTest, ALargePartIsNotCopiedAndKeepsItsText) {
  auto text = std::make_shared<const std::string>(std::string(100'000, 'x'));
  const char* const place = text->data() + 10;
  absl::Cord part = PartOf(text, absl::string_view(*text).substr(10, 50'000));
  const std::weak_ptr<const std::string> alive = text;
  text.reset();
  EXPECT_FALSE(alive.expired());
  EXPECT_EQ((*part.Chunks().begin()).data(), place);
  part.Clear();
  EXPECT_TRUE(alive.expired());
}

TEST(WireFormatTest, AShortPartDoesNotHoldItsText) {
  auto text = std::make_shared<const std::string>(std::string(100'000, 'x'));
  const absl::Cord part = PartOf(text, absl::string_view(*text).substr(0, 10));
  const std::weak_ptr<const std::string> alive = text;
  text.reset();
  EXPECT_TRUE(alive.expired());
  EXPECT_EQ(part, "xxxxxxxxxx");
}

}  // namespace
}  // namespace atomemo::router
