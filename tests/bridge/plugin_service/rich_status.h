#ifndef ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_RICH_STATUS_H_
#define ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_RICH_STATUS_H_

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/support/status.h>

#include <string>

namespace atomemo::plugin_service {

// The detail of type Detail in a status, read by the published definition of google.rpc.Status.
// Empty if it has none.
template <typename Detail>
Detail RichDetail(const grpc::Status& status, std::string* message = nullptr) {
  google::protobuf::FileDescriptorProto file;
  google::protobuf::TextFormat::ParseFromString(
      R"(name: "status.proto" package: "google.rpc" syntax: "proto3"
         dependency: "google/protobuf/any.proto"
         message_type { name: "Status"
           field { name: "code" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
           field { name: "message" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
           field { name: "details" number: 3 type: TYPE_MESSAGE label: LABEL_REPEATED
                   type_name: ".google.protobuf.Any" } })",
      &file);
  google::protobuf::Any::descriptor();
  google::protobuf::DescriptorPool pool(google::protobuf::DescriptorPool::generated_pool());
  const auto* type = pool.BuildFile(file)->FindMessageTypeByName("Status");
  google::protobuf::DynamicMessageFactory factory(&pool);
  factory.SetDelegateToGeneratedFactory(true);
  const std::unique_ptr<google::protobuf::Message> rich(factory.GetPrototype(type)->New());
  Detail detail;
  if (!rich->ParseFromString(status.error_details())) return detail;
  const auto* reflection = rich->GetReflection();
  if (message != nullptr) {
    *message = reflection->GetString(*rich, type->FindFieldByName("message"));
  }
  const auto* details = type->FindFieldByName("details");
  for (int i = 0; i < reflection->FieldSize(*rich, details); ++i) {
    google::protobuf::Any any;
    any.ParseFromString(reflection->GetRepeatedMessage(*rich, details, i).SerializeAsString());
    if (any.UnpackTo(&detail)) return detail;
  }
  return detail;
}

}  // namespace atomemo::plugin_service

#endif  // ATOMEMO_TESTS_BRIDGE_PLUGIN_SERVICE_RICH_STATUS_H_
