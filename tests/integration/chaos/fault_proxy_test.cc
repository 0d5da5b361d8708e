#include "tests/integration/chaos/fault_proxy.h"

#include <gtest/gtest.h>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <memory>
#include <string>

#include "tests/integration/chaos/clock.h"

namespace atomemo::chaos {
namespace {

using asio::ip::tcp;

// A client and a server with the proxy between them.
class FaultProxyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    proxy_ = std::make_unique<FaultProxy>(listener_.local_endpoint().port());
    const auto port = proxy_->Start();
    ASSERT_TRUE(port.ok()) << port.status();
    address_ = {asio::ip::address_v4::loopback(), *port};
    client_.connect(address_);
    server_ = listener_.accept();
    // So that the proxy surely has both ends.
    ASSERT_EQ(Pass(client_, server_, "hello"), "hello");
  }

  static std::string Read(tcp::socket& socket, std::size_t count) {
    std::string text(count, '\0');
    asio::read(socket, asio::buffer(text));
    return text;
  }
  static std::string Pass(tcp::socket& from, tcp::socket& to, const std::string& text) {
    asio::write(from, asio::buffer(text));
    return Read(to, text.size());
  }
  // How the connection ended.
  static asio::error_code End(tcp::socket& socket) {
    asio::error_code error;
    char byte = 0;
    asio::read(socket, asio::buffer(&byte, 1), error);
    return error;
  }

  asio::io_context io_;
  tcp::acceptor listener_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::unique_ptr<FaultProxy> proxy_;
  tcp::endpoint address_;
  tcp::socket client_{io_};
  tcp::socket server_{io_};
};

TEST_F(FaultProxyTest, PassesBytesOnInBothDirections) {
  EXPECT_EQ(Pass(client_, server_, "up"), "up");
  EXPECT_EQ(Pass(server_, client_, "down"), "down");
}

TEST_F(FaultProxyTest, ACutIsAnOrderlyEndForBothSides) {
  EXPECT_EQ(proxy_->Cut(), 1);
  EXPECT_EQ(End(client_), asio::error::eof);
  EXPECT_EQ(End(server_), asio::error::eof);
  EXPECT_EQ(proxy_->Cut(), 0);
}

TEST_F(FaultProxyTest, AResetIsAResetForBothSides) {
  EXPECT_EQ(proxy_->Reset(), 1);
  EXPECT_EQ(End(client_), asio::error::connection_reset);
  EXPECT_EQ(End(server_), asio::error::connection_reset);
}

TEST_F(FaultProxyTest, AStallHoldsBytesAndDeathsBackAndLosesNothing) {
  const absl::Time begin = Now();
  constexpr absl::Duration kStall = absl::Milliseconds(200);
  proxy_->Stall(kStall);
  asio::write(client_, asio::buffer("late", 4));
  client_.close();
  EXPECT_EQ(Read(server_, 4), "late");
  EXPECT_GE(Now() - begin, kStall);
  EXPECT_EQ(End(server_), asio::error::eof);
}

TEST_F(FaultProxyTest, ADelayAddsItsLatency) {
  constexpr absl::Duration kLatency = absl::Milliseconds(100);
  proxy_->Delay(kLatency, absl::Minutes(1));
  const absl::Time begin = Now();
  EXPECT_EQ(Pass(client_, server_, "slow"), "slow");
  EXPECT_GE(Now() - begin, kLatency);
}

TEST_F(FaultProxyTest, ADeathIsSeenOnTheOtherSideAfterWhatWasSentBefore) {
  asio::write(server_, asio::buffer("bye", 3));
  server_.close();
  EXPECT_EQ(Read(client_, 3), "bye");
  EXPECT_EQ(End(client_), asio::error::eof);
}

TEST_F(FaultProxyTest, AClientIsResetWhenNobodyListens) {
  listener_.close();
  tcp::socket refused(io_);
  refused.connect(address_);
  EXPECT_EQ(End(refused), asio::error::connection_reset);
}

}  // namespace
}  // namespace atomemo::chaos
