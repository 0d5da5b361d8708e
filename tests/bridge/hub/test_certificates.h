#ifndef ATOMEMO_TESTS_BRIDGE_HUB_TEST_CERTIFICATES_H_
#define ATOMEMO_TESTS_BRIDGE_HUB_TEST_CERTIFICATES_H_

#include <string>

namespace atomemo::hub {

// A certificate authority of its own, and a server's certificate for "localhost" signed by it. PEM.
struct TestCertificates {
  std::string ca;
  std::string server;
  std::string server_key;
};

// Made anew by every call.
TestCertificates MakeTestCertificates();

}  // namespace atomemo::hub

#endif  // ATOMEMO_TESTS_BRIDGE_HUB_TEST_CERTIFICATES_H_
