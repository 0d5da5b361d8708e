#include "bridge/hub/websocketpp_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bridge/hub/dialing_fixture.h"
#include "tests/bridge/hub/websocket_test_server.h"
#include "tests/fakes/fake_connect_proxy.h"

namespace atomemo::hub {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A server that accepts TCP connections and never says a word.
class SilentServer {
 public:
  explicit SilentServer(asio::io_context& io, const char* address = "127.0.0.1",
                        std::uint16_t port = 0)
      : acceptor_(io, {asio::ip::make_address(address), port}) {}
  std::string Address() const {
    return absl::StrCat("127.0.0.1:", acceptor_.local_endpoint().port());
  }

 private:
  asio::ip::tcp::acceptor acceptor_;
};

class WebsocketppTransportTest : public ::testing::Test {
 protected:
  WebsocketppTransportTest() {
    options_.user_agent = "atomemo-bridge/1.2.3";
    names_.Answer("localhost", AddressFamily::kIpv4, {"127.0.0.1"});
    server_.Listen();
  }

  ~WebsocketppTransportTest() override {
    transport_.reset();
    server_.Stop();
    v6_server_.Stop();
    while (io_.run_one_for(std::chrono::seconds(10)) > 0) {
    }
  }

  void Make() {
    auto client = WebsocketppClient::Create(io_, options_, names_.AsFunction());
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
  FakeNameServer names_;
  WebSocketOptions options_;
  PlainTestServer server_{io_};
  PlainTestServer v6_server_{io_};  // of the tests that listen on it
  std::unique_ptr<WebsocketppClient> client_;
  std::unique_ptr<WebSocketTransport> transport_;
  int opens_ = 0;
  std::vector<std::string> messages_;
  std::vector<WebSocketClosed> closes_;
};

TEST_F(WebsocketppTransportTest, ReadingThatIsHeldUpAndGoesOnLosesNothing) {
  Open();
  std::vector<std::string> sent;
  for (char c = 'a'; c <= 'z'; ++c) {
    transport_->SetReading(false);
    transport_->SetReading(true);  // a read is under way all the time
    transport_->SetReading(true);
    sent.emplace_back(300'000, c);
    server_.connections[0]->send(sent.back(), websocketpp::frame::opcode::text);
  }
  RunUntil([&] { return messages_.size() == sent.size() || !closes_.empty(); });
  EXPECT_TRUE(messages_ == sent);
}

TEST_F(WebsocketppTransportTest, WhatComesWhileReadingIsHeldUpWaits) {
  Open();
  transport_->SetReading(false);
  const std::string text(1'000'000, 'x');
  for (int i = 0; i < 50; ++i) {
    server_.connections[0]->send(text, websocketpp::frame::opcode::text);
  }
  while (io_.poll() > 0) io_.restart();
  EXPECT_THAT(messages_, IsEmpty());
  transport_->SetReading(true);
  RunUntil([&] { return messages_.size() == 50; });
}

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

TEST_F(WebsocketppTransportTest, SendsMessagesOfAnySizeAsTheyAre) {
  Open();
  std::vector<std::string> texts;
  for (const std::size_t size : {1u, 125u, 126u, 65'535u, 65'536u, 65'537u, 100'003u, 7'000'001u}) {
    std::string text = "\xc3\xa9";
    for (std::size_t i = 0; text.size() < size + 2; ++i) text.push_back("0123456789abc"[i % 13]);
    ASSERT_TRUE(transport_->Send(text).ok());
    texts.push_back(std::move(text));
  }
  RunUntil([&] { return server_.received.size() == texts.size(); });
  EXPECT_TRUE(server_.received == texts);
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
  EXPECT_THAT(closes_[0].reason,
              AllOf(HasSubstr("refused"), HasSubstr(url.substr(5, url.size() - 6))));
  EXPECT_EQ(closes_[0].http_status, 0);
}

TEST_F(WebsocketppTransportTest, AnIpv6AddressKeepsItsBracketsInTheHostHeader) {
  PlainTestServer& server = v6_server_;
  try {
    server.Listen(asio::ip::address_v6::loopback());
  } catch (const std::exception&) {
    GTEST_SKIP() << "no IPv6 here";
  }
  Make();
  transport_->Connect(absl::StrCat("ws://[::1]:", server.port(), "/x"));
  RunUntil([&] { return opens_ > 0 && !server.connections.empty(); });
  EXPECT_EQ(server.host, absl::StrCat("[::1]:", server.port()));
  EXPECT_EQ(transport_->peer(), absl::StrCat("[::1]:", server.port()));
}

TEST_F(WebsocketppTransportTest, AMuteAddressIsOvertaken) {
  const MuteAddress mute(io_, asio::ip::make_address("127.0.0.2"), server_.port());
  names_.Answer("hub.example", AddressFamily::kIpv4, {"127.0.0.2", "127.0.0.1"});
  Make();
  transport_->Connect(absl::StrCat("ws://hub.example:", server_.port(), "/"));
  RunUntilOpen();
  EXPECT_EQ(server_.host, absl::StrCat("hub.example:", server_.port()));
  EXPECT_EQ(transport_->peer(), absl::StrCat("127.0.0.1:", server_.port()));
}

TEST_F(WebsocketppTransportTest, AnAddressThatConnectsAndThenFailsComesLastTheNextTime) {
  const SilentServer silent(io_, "127.0.0.2", server_.port());
  names_.Answer("hub.example", AddressFamily::kIpv4, {"127.0.0.2", "127.0.0.1"});
  options_.connect_timeout = absl::Milliseconds(300);
  Make();
  const std::string url = absl::StrCat("ws://hub.example:", server_.port(), "/");
  transport_->Connect(url);
  RunUntilClosed();
  EXPECT_EQ(closes_[0].peer, absl::StrCat("127.0.0.2:", server_.port()));
  EXPECT_THAT(closes_[0].reason, AllOf(HasSubstr("300ms"), HasSubstr("upgrade")));
  RunUntil([&] {
    if (!closes_.empty()) transport_->Connect(url);  // a slow machine may need a few attempts
    closes_.clear();
    return opens_ > 0 && !server_.connections.empty();
  });
}

TEST_F(WebsocketppTransportTest, ANameServerThatHangsIsNamedAndHoldsUpNothing) {
  for (const auto family : {AddressFamily::kIpv4, AddressFamily::kIpv6}) {
    names_.Hang("hub.example", family);
  }
  options_.connect_timeout = absl::Milliseconds(20);
  Make();
  transport_->Connect("ws://hub.example/");
  RunUntilClosed();
  EXPECT_THAT(closes_[0].reason, AllOf(HasSubstr("20ms"), HasSubstr("look-up of the host hub")));
  transport_->Connect("ws://hub.example/");
  transport_.reset();
  client_.reset();  // at once, or this test hangs
  names_.ReleaseAll();
}

TEST_F(WebsocketppTransportTest, ARefusalTellsWhereToGoAndWhenToComeBack) {
  Make();
  server_.refuse_with = 302;
  server_.refusal_headers = {{"Location", "https://new.example/"}, {"Retry-After", "7"}};
  transport_->Connect(Url());
  RunUntilClosed();
  EXPECT_EQ(closes_[0].location, "https://new.example/");
  EXPECT_EQ(closes_[0].retry_after, absl::Seconds(7));
  EXPECT_EQ(closes_[0].peer, absl::StrCat("127.0.0.1:", server_.port()));
  EXPECT_EQ(closes_[0].scheme_hint, SchemeHint::kNone);
}

TEST_F(WebsocketppTransportTest, AFloodOfPingsIsNotAFloodOfPongs) {
  Open();
  constexpr int kPings = 5000;
  for (int i = 1; i <= kPings; ++i) server_.connections[0]->ping(absl::StrCat(i));
  RunUntil([this] { return !server_.pongs.empty() && server_.pongs.back() == "5000"; });
  // The first at once, then ten a second.
  EXPECT_EQ(server_.pongs.front(), "1");
  EXPECT_LT(server_.pongs.size(), kPings / 10u);
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

TEST_F(WebsocketppTransportTest, AHubThatRefusesAMessageIsNotTakenForTheBridge) {
  for (const std::uint16_t code : {kCloseTooBig, kCloseInternalError}) {
    Open();
    server_.connections.back()->close(code, "");
    RunUntilClosed();
    EXPECT_EQ(closes_[0].code, code);
    EXPECT_FALSE(closes_[0].by_bridge);
    EXPECT_EQ(closes_[0].reason, "");
    closes_.clear();
    server_.connections.clear();
  }
}

TEST_F(WebsocketppTransportTest, AHubThatBreaksTheProtocolIsBlamedForTheEnd) {
  Open();
  const std::string reserved_opcode("\x83\x00", 2);
  asio::write(server_.connections[0]->get_raw_socket(), asio::buffer(reserved_opcode));
  RunUntilClosed();
  EXPECT_TRUE(closes_[0].by_bridge);
  EXPECT_EQ(closes_[0].code, kCloseProtocolError);
  EXPECT_THAT(closes_[0].reason, HasSubstr("the hub broke the WebSocket protocol"));
}

TEST_F(WebsocketppTransportTest, AnOversizedMessageClosesWithTheLimit) {
  options_.max_message_bytes = 1000;
  Open();
  server_.connections[0]->send(std::string(1000, 'x'));
  server_.connections[0]->send(std::string(1001, 'y'));
  RunUntilClosed();
  EXPECT_THAT(messages_, ElementsAre(std::string(1000, 'x')));
  EXPECT_EQ(closes_[0].code, kCloseTooBig);
  EXPECT_TRUE(closes_[0].by_bridge);
  EXPECT_THAT(closes_[0].reason, HasSubstr("the hub sent a message of more than 1000 bytes"));
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
  EXPECT_EQ(closes_[0].scheme_hint, SchemeHint::kMaybePlain);
}

TEST_F(WebsocketppTlsTest, AServerThatAnswersInPlainTextIsReported) {
  asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
  asio::ip::tcp::socket socket(io_);
  const std::string answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
  acceptor.async_accept(socket, [&](const asio::error_code&) {
    asio::async_write(socket, asio::buffer(answer), [](const asio::error_code&, std::size_t) {});
  });
  Make();
  transport_->Connect(
      absl::StrCat("wss://127.0.0.1:", acceptor.local_endpoint().port(), "/?api_key=s3cret"));
  RunUntilClosed();
  EXPECT_THAT(closes_[0].reason, HasSubstr("does not speak TLS"));
  EXPECT_EQ(closes_[0].scheme_hint, SchemeHint::kMaybePlain);
}

TEST_F(WebsocketppTlsTest, AServerThatWantsTlsIsRecognised) {
  Make();
  transport_->Connect(absl::StrCat("ws://127.0.0.1:", tls_server_.port(), "/"));
  RunUntilClosed();
  EXPECT_EQ(closes_[0].scheme_hint, SchemeHint::kMaybeTls);
}

TEST_F(WebsocketppTlsTest, AProxyMakesATunnelThroughWhichTheHubIsVerified) {
  fakes::FakeConnectProxy proxy(io_, tls_server_.port());
  options_.proxy = *ParseProxy(proxy.url("user:pass"));
  Make();
  // The proxy alone knows the host.
  transport_->Connect("wss://localhost:4433/");
  RunUntil([this] { return opens_ == 1 && tls_server_.connections.size() == 1; });
  EXPECT_THAT(proxy.requests,
              ElementsAre(AllOf(StartsWith("CONNECT localhost:4433 HTTP/1.1\r\n"),
                                HasSubstr("\r\nHost: localhost:4433\r\n"),
                                HasSubstr("\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"))));
  EXPECT_EQ(names_.questions(), 0);
  EXPECT_THAT(transport_->peer(), absl::StrCat("the proxy 127.0.0.1:", proxy.port()));
  tls_server_.connections[0]->send(std::string(100'000, 'x'));
  RunUntil([this] { return messages_.size() == 1; });
}

TEST_F(WebsocketppTransportTest, APlainHubIsReachedThroughATunnelToo) {
  fakes::FakeConnectProxy proxy(io_, server_.port());
  options_.proxy = *ParseProxy(proxy.url());
  Make();
  transport_->Connect("ws://[2001:db8::1]:4000/x");
  RunUntilOpen();
  EXPECT_THAT(proxy.requests, ElementsAre(AllOf(StartsWith("CONNECT [2001:db8::1]:4000 HTTP/1.1"),
                                                Not(HasSubstr("Authorization")))));
  EXPECT_EQ(server_.host, "[2001:db8::1]:4000");
}

TEST_F(WebsocketppTransportTest, WhatAProxyRefusesIsExplainedWithoutItsPassword) {
  const struct {
    const char* credentials;
    const char* answer;
    const char* reason;
  } kCases[] = {
      {"", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "asks for a user name"},
      {"u:s3cret", "HTTP/1.0 407 Denied\r\n\r\n", "refuses the user name or the password"},
      {"u:s3cret", "HTTP/1.1 403 Filtered\r\n\r\n", "refuses to connect to hub.example:4000"},
      {"u:s3cret", "HTTP/1.1 502 Bad\r\n\r\n", "cannot reach hub.example:4000"},
      {"u:s3cret", "SSH-2.0-OpenSSH\r\n\r\n", "does not answer as an HTTP proxy"},
      {"u:s3cret", "nothing", "closed the connection"},
      {"u:s3cret", "HTTP/1.1 200 OK\r\n\r\nmore", "more than its answer"}};
  for (const auto& test : kCases) {
    fakes::FakeConnectProxy proxy(io_, server_.port());
    proxy.answer_with = test.answer;
    options_.proxy = *ParseProxy(proxy.url(test.credentials));
    Make();
    closes_.clear();
    transport_->Connect("ws://hub.example:4000/");
    RunUntilClosed();
    EXPECT_THAT(closes_[0].reason, AllOf(HasSubstr(test.reason), HasSubstr("the proxy 127.0.0.1:"),
                                         Not(HasSubstr("s3cret"))));
    transport_.reset();
  }
}

TEST_F(WebsocketppTransportTest, AProxyThatIsAwayOrSilentIsNamed) {
  options_.connect_timeout = absl::Milliseconds(200);
  auto proxy = std::make_unique<fakes::FakeConnectProxy>(io_, server_.port());
  proxy->keeps_silent = true;
  options_.proxy = *ParseProxy(proxy->url());
  Make();
  transport_->Connect("ws://hub.example:4000/");
  RunUntilClosed();
  EXPECT_THAT(closes_[0].reason, HasSubstr("no answer from the proxy 127.0.0.1:"));
  proxy.reset();
  closes_.clear();
  transport_->Connect("ws://hub.example:4000/");
  RunUntilClosed();
  EXPECT_THAT(closes_[0].reason, AllOf(HasSubstr("the proxy 127.0.0.1:"), HasSubstr("refused")));
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
