#include "bridge/hub/websocketpp_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bridge/hub/websocket_test_server.h"

namespace atomemo::hub {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class WebsocketppTransportTest : public ::testing::Test {
 protected:
  WebsocketppTransportTest() {
    options_.user_agent = "atomemo-bridge/1.2.3";
    server_.Listen();
  }

  ~WebsocketppTransportTest() override {
    transport_.reset();
    server_.Stop();
    while (io_.run_one_for(std::chrono::seconds(10)) > 0) {
    }
  }

  void Make() {
    auto client = WebsocketppClient::Create(io_, options_);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    transport_ = client_->NewTransport();
    transport_->SetCallbacks(
        {[this] { ++opens_; }, [this](absl::string_view text) { messages_.emplace_back(text); },
         [this](const WebSocketClosed& closed) { closes_.push_back(closed); }});
  }

  template <typename Condition>
  void RunUntil(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      io_.restart();
      io_.run_one_until(deadline);
    }
    ASSERT_TRUE(condition());
  }
  void RunUntilOpen() {
    RunUntil([this] { return opens_ > 0 && !server_.connections.empty(); });
  }
  void RunUntilClosed() {
    RunUntil([this] { return !closes_.empty(); });
  }

  std::string Url(absl::string_view path = "/") {
    return absl::StrCat("ws://127.0.0.1:", server_.port(), path);
  }
  // Connects to the server and waits for it.
  void Open() {
    Make();
    transport_->Connect(Url());
    RunUntilOpen();
  }

  asio::io_context io_;
  WebSocketOptions options_;
  PlainTestServer server_{io_};
  std::unique_ptr<WebsocketppClient> client_;
  std::unique_ptr<WebSocketTransport> transport_;
  int opens_ = 0;
  std::vector<std::string> messages_;
  std::vector<WebSocketClosed> closes_;
};

TEST_F(WebsocketppTransportTest, ConnectsToTheUrlWithUserAgentAndWithoutOrigin) {
  Make();
  transport_->Connect(Url("/a/websocket?api_key=k%20&vsn=2.0.0"));
  RunUntilOpen();
  EXPECT_EQ(server_.resource, "/a/websocket?api_key=k%20&vsn=2.0.0");
  EXPECT_EQ(server_.user_agent, "atomemo-bridge/1.2.3");
  EXPECT_EQ(server_.origin, "");
}

TEST_F(WebsocketppTransportTest, CarriesMessagesBothWaysInOrder) {
  Open();
  EXPECT_TRUE(transport_->Send("one").ok());
  EXPECT_TRUE(transport_->Send("two \xc3\xa9").ok());
  server_.connections[0]->send("three");
  RunUntil([this] { return server_.received.size() == 2 && messages_.size() == 1; });
  EXPECT_THAT(server_.received, ElementsAre("one", "two \xc3\xa9"));
  EXPECT_THAT(messages_, ElementsAre("three"));
}

TEST_F(WebsocketppTransportTest, CarriesLargeMessages) {
  Open();
  const std::string large(12'000'000, 'x');
  server_.connections[0]->send(large);
  RunUntil([this] { return messages_.size() == 1; });
  EXPECT_TRUE(messages_[0] == large);
}

TEST_F(WebsocketppTransportTest, WhatThePeerDoesNotReadIsBuffered) {
  Open();
  const std::string chunk(1'000'000, 'x');
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(transport_->Send(chunk).ok());
  EXPECT_GT(transport_->buffered_amount(), 10'000'000u);
  RunUntil([this] { return server_.received.size() == 20; });
  EXPECT_EQ(transport_->buffered_amount(), 0u);
}

TEST_F(WebsocketppTransportTest, ARefusedUpgradeReportsItsStatus) {
  for (const int status : {401, 403, 404, 503}) {
    Make();
    closes_.clear();
    server_.refuse_with = status;
    transport_->Connect(Url("/?api_key=s3cret"));
    RunUntilClosed();
    EXPECT_EQ(closes_[0].http_status, status);
    EXPECT_FALSE(closes_[0].was_open);
    EXPECT_THAT(closes_[0].reason,
                AllOf(HasSubstr(absl::StrCat(status)), Not(HasSubstr("s3cret"))));
    transport_.reset();
  }
}

TEST_F(WebsocketppTransportTest, AnUnreachableServerIsReported) {
  Make();
  const std::string url = Url();
  server_.Stop();
  transport_->Connect(url);
  EXPECT_THAT(closes_, IsEmpty());
  RunUntilClosed();
  EXPECT_THAT(closes_[0].reason, HasSubstr("refused"));
  EXPECT_EQ(closes_[0].http_status, 0);
}

TEST_F(WebsocketppTransportTest, AnUnusableUrlIsReportedLater) {
  Make();
  transport_->Connect("gopher://nowhere");
  EXPECT_THAT(closes_, IsEmpty());
  RunUntilClosed();
  EXPECT_FALSE(closes_[0].was_open);
}

TEST_F(WebsocketppTransportTest, TheHubsCloseIsReportedWithCodeAndReason) {
  Open();
  server_.connections[0]->close(1012, "restart");
  RunUntilClosed();
  EXPECT_TRUE(closes_[0].was_open);
  EXPECT_EQ(closes_[0].code, 1012);
  EXPECT_EQ(closes_[0].reason, "restart");
  EXPECT_EQ(transport_->Send("x").code(), absl::StatusCode::kUnavailable);
}

TEST_F(WebsocketppTransportTest, AnAbruptEndIsReported) {
  Open();
  server_.connections[0]->get_raw_socket().close();
  RunUntilClosed();
  EXPECT_TRUE(closes_[0].was_open);
  EXPECT_EQ(closes_[0].code, kCloseAbnormal);
  EXPECT_THAT(closes_[0].reason, Not(IsEmpty()));
}

TEST_F(WebsocketppTransportTest, AnOversizedMessageClosesWithTheLimit) {
  options_.max_message_bytes = 1000;
  Open();
  server_.connections[0]->send(std::string(1000, 'x'));
  server_.connections[0]->send(std::string(1001, 'y'));
  RunUntilClosed();
  EXPECT_THAT(messages_, ElementsAre(std::string(1000, 'x')));
  EXPECT_EQ(closes_[0].code, kCloseTooBig);
  EXPECT_THAT(closes_[0].reason, HasSubstr("1000"));
}

TEST_F(WebsocketppTransportTest, CloseSendsWhatWasQueuedAndEndsNormally) {
  Open();
  ASSERT_TRUE(transport_->Send("last").ok());
  transport_->Close(kCloseNormal);
  EXPECT_THAT(closes_, IsEmpty());
  RunUntil([this] { return !closes_.empty() && !server_.close_codes.empty(); });
  EXPECT_THAT(server_.received, ElementsAre("last"));
  EXPECT_THAT(server_.close_codes, ElementsAre(1000));
  EXPECT_EQ(closes_[0].code, kCloseNormal);
}

TEST_F(WebsocketppTransportTest, DropEndsAtOnceAndIsNotReported) {
  Open();
  transport_->Drop();
  RunUntil([this] { return !server_.close_codes.empty(); });
  EXPECT_THAT(closes_, IsEmpty());
  EXPECT_EQ(transport_->Send("x").code(), absl::StatusCode::kUnavailable);
}

TEST_F(WebsocketppTransportTest, AnotherConnectSilencesTheOneBefore) {
  Open();
  transport_->Connect(Url());
  server_.connections[0]->send("old");
  RunUntil([this] { return server_.connections.size() == 2 && opens_ == 2; });
  server_.connections[1]->send("new");
  RunUntil([this] { return !messages_.empty() && server_.close_codes.size() == 1; });
  EXPECT_THAT(messages_, ElementsAre("new"));
  EXPECT_THAT(closes_, IsEmpty());
}

TEST_F(WebsocketppTransportTest, ConnectMayBeCalledWhenTheConnectionCloses) {
  Open();
  auto again = client_->NewTransport();
  WebSocketTransport* transport = again.get();
  int closes = 0;
  again->SetCallbacks({[] {}, [](absl::string_view) {},
                       [&](const WebSocketClosed&) {
                         if (++closes < 3) transport->Connect(Url());
                       }});
  server_.refuse_with = 503;
  again->Connect(Url());
  RunUntil([&] { return closes == 3; });
}

// A server that accepts TCP connections and never says a word.
class SilentServer {
 public:
  explicit SilentServer(asio::io_context& io)
      : acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {}
  std::string Address() const {
    return absl::StrCat("127.0.0.1:", acceptor_.local_endpoint().port());
  }

 private:
  asio::ip::tcp::acceptor acceptor_;
};

TEST_F(WebsocketppTransportTest, ConnectingIsGivenUpAfterTheTimeout) {
  options_.connect_timeout = absl::Milliseconds(50);
  const SilentServer silent(io_);
  for (const char* scheme : {"ws://", "wss://"}) {
    Make();
    closes_.clear();
    transport_->Connect(absl::StrCat(scheme, silent.Address(), "/"));
    RunUntilClosed();
    EXPECT_THAT(closes_[0].reason, HasSubstr("50ms")) << scheme;
    EXPECT_FALSE(closes_[0].was_open);
    transport_.reset();
  }
}

TEST_F(WebsocketppTransportTest, CloseGivesUpConnecting) {
  Make();
  const SilentServer silent(io_);
  transport_->Connect(absl::StrCat("ws://", silent.Address(), "/"));
  transport_->Close(kCloseNormal);
  EXPECT_THAT(closes_, IsEmpty());
  RunUntilClosed();
  EXPECT_THAT(closes_, SizeIs(1));
}

TEST_F(WebsocketppTransportTest, MayBeDestroyedWhileConnecting) {
  Make();
  transport_->Connect(absl::StrCat("ws://localhost:", server_.port(), "/"));
  transport_.reset();
  io_.restart();
  while (io_.run_one_for(std::chrono::milliseconds(200)) > 0) {
  }
  EXPECT_EQ(opens_, 0);
  EXPECT_THAT(server_.connections, IsEmpty());
}

class WebsocketppTlsTest : public WebsocketppTransportTest {
 protected:
  WebsocketppTlsTest() {
    options_.extra_ca_file =
        testing::TempDir() + "/websocketpp_tls_test_ca." + std::to_string(getpid());
    std::ofstream(options_.extra_ca_file) << certificates_.ca;
    tls_server_.UseCertificate(certificates_);
    tls_server_.Listen();
  }
  ~WebsocketppTlsTest() override {
    transport_.reset();
    tls_server_.Stop();
    server_.Stop();
    io_.restart();
    while (io_.run_one_for(std::chrono::seconds(10)) > 0) {
    }
  }

  std::string TlsUrl(absl::string_view host) {
    return absl::StrCat("wss://", host, ":", tls_server_.port(), "/");
  }

  const TestCertificates certificates_ = MakeTestCertificates();
  TlsTestServer tls_server_{io_};
};

TEST_F(WebsocketppTlsTest, CarriesMessagesOverTls) {
  Make();
  transport_->Connect(TlsUrl("localhost"));
  RunUntil([this] { return opens_ == 1 && tls_server_.connections.size() == 1; });
  ASSERT_TRUE(transport_->Send("hello").ok());
  tls_server_.connections[0]->send("hi");
  RunUntil([this] { return !tls_server_.received.empty() && !messages_.empty(); });
  transport_->Close(kCloseNormal);
  RunUntilClosed();
  EXPECT_EQ(closes_[0].code, kCloseNormal);
}

TEST_F(WebsocketppTlsTest, ACertificateForAnotherHostIsRefused) {
  Make();
  transport_->Connect(TlsUrl("127.0.0.1"));
  RunUntilClosed();
  EXPECT_THAT(closes_[0].reason, HasSubstr("not for the host 127.0.0.1"));
  EXPECT_THAT(tls_server_.connections, IsEmpty());
}

TEST_F(WebsocketppTlsTest, AnUntrustedCertificateIsRefused) {
  options_.extra_ca_file.clear();
  Make();
  transport_->Connect(TlsUrl("localhost"));
  RunUntilClosed();
  EXPECT_THAT(closes_[0].reason, HasSubstr("not trusted"));
  EXPECT_THAT(tls_server_.connections, IsEmpty());
}

TEST_F(WebsocketppTlsTest, AServerWithoutTlsIsReported) {
  Make();
  transport_->Connect(absl::StrCat("wss://127.0.0.1:", server_.port(), "/"));
  RunUntilClosed();
  EXPECT_THAT(closes_[0].reason, HasSubstr("TLS"));
}

TEST_F(WebsocketppTlsTest, DropDoesNotWaitForThePeer) {
  Make();
  transport_->Connect(TlsUrl("localhost"));
  RunUntil([this] { return opens_ == 1 && tls_server_.connections.size() == 1; });
  transport_->Drop();
  RunUntil([this] { return !tls_server_.close_codes.empty(); });
  EXPECT_THAT(closes_, IsEmpty());
}

TEST(WebsocketppClientTest, AnUnusableCaFileIsNamed) {
  asio::io_context io;
  WebSocketOptions options;
  options.extra_ca_file = "/nonexistent/ca.pem";
  const auto client = WebsocketppClient::Create(io, options);
  EXPECT_EQ(client.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(client.status().message()), HasSubstr("/nonexistent/ca.pem"));
}

}  // namespace
}  // namespace atomemo::hub
