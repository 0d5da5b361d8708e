# All third-party packages, found once. Every one is a Debian 12 package (see README.md, "Dependencies").
find_package(Threads REQUIRED)
find_package(absl REQUIRED CONFIG)
find_package(Protobuf REQUIRED)
find_package(gRPC REQUIRED CONFIG)
# Their sixty shared libraries would take longer to load than most commands run.
option(ATOMEMO_STATIC_GRPC "Link gRPC, Protobuf and Abseil statically" ON)
if(ATOMEMO_STATIC_GRPC)
  include(AtomemoStaticLinking)
  atomemo_link_statically(gRPC:: absl:: protobuf::)
endif()
find_package(nlohmann_json REQUIRED CONFIG)
if(ATOMEMO_BUILD_BRIDGE)
  find_package(OpenSSL REQUIRED)
  find_package(simdjson REQUIRED CONFIG)
  find_package(CLI11 REQUIRED CONFIG)
  find_package(CURL REQUIRED)

  # Debian ships websocketpp and Asio as headers only, without usable CMake packages.
  find_path(WEBSOCKETPP_INCLUDE_DIR websocketpp/server.hpp REQUIRED)
  find_path(ASIO_INCLUDE_DIR asio.hpp REQUIRED)
  add_library(atomemo_asio INTERFACE)
  target_include_directories(atomemo_asio SYSTEM INTERFACE "${ASIO_INCLUDE_DIR}")
  # Asio looks for aligned_alloc in whatever headers came before it: without the second definition, two files of one program
  # may disagree on how its memory is allocated and freed.
  target_compile_definitions(atomemo_asio INTERFACE ASIO_STANDALONE ASIO_DISABLE_STD_ALIGNED_ALLOC)
  target_link_libraries(atomemo_asio INTERFACE Threads::Threads)
  add_library(atomemo_websocketpp INTERFACE)
  target_include_directories(atomemo_websocketpp SYSTEM INTERFACE "${WEBSOCKETPP_INCLUDE_DIR}")
  target_link_libraries(atomemo_websocketpp INTERFACE atomemo_asio OpenSSL::SSL OpenSSL::Crypto)
endif()
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
endif()
