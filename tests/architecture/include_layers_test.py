#!/usr/bin/env python3
"""Proves that include_layers.py finds what it is there to find."""
import unittest

from include_layers import violations_in


class IncludeLayersTest(unittest.TestCase):
    def assert_forbidden(self, path, header):
        self.assertEqual(len(violations_in(path, f'#include "{header}"\n')), 1, f"{path} may include {header}")

    def assert_allowed(self, path, header):
        self.assertEqual(violations_in(path, f'#include "{header}"\n'), [])

    def test_base_includes_no_other_layer(self):
        self.assert_forbidden("bridge/base/log.cc", "bridge/definition/validate.h")
        self.assert_forbidden("bridge/base/log.cc", "atomemo/plugin/v1/payload.pb.h")
        self.assert_allowed("bridge/base/log.cc", "bridge/base/log.h")

    def test_definition_does_not_know_the_router(self):
        self.assert_forbidden("bridge/definition/validate.cc", "bridge/router/call.h")

    def test_definitions_know_no_calls(self):
        self.assert_forbidden("bridge/definition/facts.cc", "bridge/payload/payload.h")
        self.assert_allowed("bridge/payload/answers.cc", "bridge/definition/text_rules.h")

    def test_router_knows_no_transport(self):
        self.assert_forbidden("bridge/router/router.cc", "bridge/hub/phoenix_frame.h")
        self.assert_forbidden("bridge/router/router.cc", "bridge/plugin_service/server.h")
        self.assert_allowed("bridge/router/router.cc", "atomemo/plugin/v1/plugin_service.pb.h")

    def test_transports_see_only_the_routers_ports(self):
        for layer in ("hub", "plugin_service", "admin"):
            self.assert_allowed(f"bridge/{layer}/x.cc", "bridge/router/ports.h")
            self.assert_forbidden(f"bridge/{layer}/x.cc", "bridge/router/router.h")

    def test_transports_do_not_know_each_other(self):
        self.assert_forbidden("bridge/hub/x.cc", "bridge/plugin_service/server.h")
        self.assert_forbidden("bridge/plugin_service/x.cc", "bridge/hub/phoenix_frame.h")
        self.assert_forbidden("bridge/admin/x.cc", "bridge/hub/phoenix_frame.h")

    def test_devhub_takes_only_the_frame_codec_from_the_hub(self):
        self.assert_allowed("bridge/devhub/x.cc", "bridge/hub/phoenix_frame.h")
        self.assert_forbidden("bridge/devhub/x.cc", "bridge/hub/phoenix_channel.h")

    def test_app_and_command_line_wire_everything(self):
        self.assert_allowed("bridge/app.cc", "bridge/hub/phoenix_channel.h")
        self.assert_allowed("bridge/cli/serve.cc", "bridge/plugin_service/server.h")

    def test_sdk_knows_nothing_of_the_bridge(self):
        self.assert_forbidden("sdk-cpp/src/plugin.cc", "bridge/base/log.h")
        self.assert_allowed("sdk-cpp/src/plugin.cc", "atomemo/plugin.h")

    def test_examples_use_only_the_public_sdk(self):
        self.assert_allowed("examples/weather/main.cc", "atomemo/plugin.h")
        self.assert_forbidden("examples/weather/main.cc", "sdk-cpp/src/session.h")
        self.assert_forbidden("examples/weather/main.cc", "bridge/base/log.h")

    def test_third_party_fences_hold(self):
        self.assert_forbidden("bridge/router/router.cc", "websocketpp/client.hpp")
        self.assert_forbidden("bridge/hub/phoenix_channel.cc", "websocketpp/client.hpp")
        self.assert_forbidden("bridge/router/router.cc", "asio.hpp")
        self.assert_forbidden("bridge/plugin_service/x.cc", "asio/io_context.hpp")
        self.assert_forbidden("bridge/router/router.cc", "grpcpp/grpcpp.h")
        self.assert_forbidden("sdk-cpp/include/atomemo/plugin.h", "grpcpp/grpcpp.h")

    def test_angle_brackets_and_spaces_hide_nothing(self):
        self.assertEqual(len(violations_in("bridge/router/x.cc", "#  include  <grpcpp/grpcpp.h>\n")), 1)

    def test_the_finding_names_file_and_line(self):
        found = violations_in("bridge/base/x.cc", '\n#include "bridge/hub/x.h"\n')
        self.assertEqual(found, ["bridge/base/x.cc:2: bridge/base/ must not include bridge/hub/x.h"])

    def test_paths_start_at_the_root(self):
        self.assert_forbidden("bridge/base/log.cc", "log.h")


if __name__ == "__main__":
    unittest.main()
