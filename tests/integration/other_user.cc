// A process of another user that tries to act in a plugin's place: for tests that run as root.
//
//   other_user SOCKET UID NAME SESSION_ID
//
// Becomes the user (and group) UID, opens a session named NAME, publishes the session SESSION_ID,
// and opens one with a name of its own; prints one line "NAME_OF_STEP STATUS_CODE" each.

#include <grp.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "atomemo/plugin/v1/plugin_service.grpc.pb.h"

namespace {

namespace pb = ::atomemo::plugin::v1;

bool BecomeUser(unsigned id) {
  return setgroups(0, nullptr) == 0 && setgid(id) == 0 && setuid(id) == 0;
}

grpc::StatusCode OpenSession(pb::PluginService::Stub& stub, const std::string& name) {
  grpc::ClientContext context;
  pb::OpenSessionRequest request;
  request.set_definition_json(absl::StrCat(
      R"({"name":")", name,
      R"(","display_name":{"en_US":"O"},"description":{"en_US":"O"},"icon":"O","locales":["en_US"]})"));
  const auto session = stub.OpenSession(&context, request);
  pb::SessionEvent event;
  if (session->Read(&event)) return grpc::StatusCode::OK;
  return session->Finish().error_code();
}

grpc::StatusCode Publish(pb::PluginService::Stub& stub, const std::string& session_id) {
  grpc::ClientContext context;
  pb::PublishRequest request;
  request.set_session_id(session_id);
  pb::PublishResponse response;
  return stub.Publish(&context, request, &response).error_code();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: other_user SOCKET UID NAME SESSION_ID\n";
    return 2;
  }
  if (!BecomeUser(static_cast<unsigned>(std::atoi(argv[2])))) {
    std::cerr << "other_user: cannot become the user " << argv[2] << "\n";
    return 1;
  }
  const auto stub = pb::PluginService::NewStub(
      grpc::CreateChannel(absl::StrCat("unix:", argv[1]), grpc::InsecureChannelCredentials()));
  std::cout << "open-taken-name " << OpenSession(*stub, argv[3]) << "\n";
  std::cout << "publish " << Publish(*stub, argv[4]) << "\n";
  std::cout << "open-own-name " << OpenSession(*stub, "other-user") << "\n";
  return 0;
}
