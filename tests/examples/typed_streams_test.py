#!/usr/bin/env python3
"""examples/python-echo/typed_streams.py against a fake bridge, with the generated stubs on PYTHONPATH."""
import concurrent.futures
import contextlib
import queue
import signal
import threading
import unittest

import grpc
from google.protobuf import json_format

from atomemo.plugin.v1 import plugin_service_pb2 as pb, plugin_service_pb2_grpc
from plugin_test_case import PATIENCE, PluginTestCase


class FakeBridge(plugin_service_pb2_grpc.PluginServiceServicer):
    """Records the plugin's calls in order, and lets a test invoke its tool."""

    def __init__(self, socket):
        self.steps = []
        self.tool = None
        self.max_receive_bytes = None
        self.session_ended = threading.Event()  # The first one's end.
        self.call_before_drained = None
        self._published = queue.Queue()
        self._to_plugin = queue.Queue()
        self._from_plugin = queue.Queue()
        self._drained = queue.Queue()
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=8))
        plugin_service_pb2_grpc.add_PluginServiceServicer_to_server(self, self._server)
        self._server.add_insecure_port(f"unix:{socket}")
        self._server.start()
        self._over = concurrent.futures.Future()

    def stop(self):
        if not self._over.done():
            self._over.set_result(grpc.StatusCode.UNAVAILABLE)  # As the bridge ends every RPC when it shuts down.
        self._to_plugin.put(None)
        self._server.stop(grace=None).wait()

    def wait_until_published(self):
        self._published.get(timeout=PATIENCE)

    def wait_until_drained(self):
        self._drained.get(timeout=PATIENCE)

    def invoke(self, request_id, parameters):
        self.start(request_id, parameters)
        return self.next_reply()

    def start(self, request_id, parameters):
        call = pb.InvokeCall(invoke=pb.Invocation(info=pb.CallInfo(request_id=request_id), tool_name="echo-text"))
        json_format.ParseDict(parameters, call.invoke.parameters.fields)
        self._to_plugin.put(call)

    def lose_the_stream(self):
        """As a call does that is larger than what the plugin's gRPC takes."""
        self._to_plugin.put(grpc.StatusCode.RESOURCE_EXHAUSTED)

    def end_the_session(self, code):
        self._over.set_result(code)
        self._to_plugin.put(grpc.StatusCode.CANCELLED)

    def next_reply(self):
        return self._from_plugin.get(timeout=PATIENCE)

    # What the plugin calls.

    def OpenSession(self, request, context):
        self.steps.append("OpenSession")
        self.max_receive_bytes = request.max_receive_bytes
        context.add_callback(self.session_ended.set)
        yield pb.SessionEvent(opened=pb.SessionOpened(session_id="s1"))
        if code := self._over.result():
            context.abort(code, "the session's end")

    def RegisterTool(self, request, context):
        self.steps.append("RegisterTool")
        self.tool = request.tool
        return pb.RegisterToolResponse()

    def Invoke(self, replies, context):
        assert next(replies).subscribe.session_id == "s1"
        lost = []

        def take_replies():
            with contextlib.suppress(grpc.RpcError):  # A plugin that was killed.
                for reply in replies:
                    self._from_plugin.put(reply)
            if not lost:
                self.steps.append("half-closed")
                self._to_plugin.put(None)

        threading.Thread(target=take_replies, daemon=True).start()
        for call in iter(self._to_plugin.get, None):
            if isinstance(call, grpc.StatusCode):
                lost.append(call)
                context.abort(call, "the stream's end")
            yield call

    def Publish(self, request, context):
        self.steps.append("Publish")
        self._published.put(True)
        return pb.PublishResponse(topic="debug_plugin:python-echo")

    def DrainSession(self, request, context):
        self.steps.append("DrainSession")
        if self.call_before_drained:
            self.start(self.call_before_drained, {"text": "just in time"})
        self._drained.put(True)
        self._to_plugin.put(pb.InvokeCall(drained=pb.Drained()))
        return pb.DrainSessionResponse()


class TypedStreamsTest(PluginTestCase):
    module = "typed_streams"

    def make_bridge(self):
        return FakeBridge(self.socket)

    def wait_until_served(self):
        self.bridge.wait_until_published()

    def test_registers_its_tool_before_it_publishes(self):
        self.assertEqual(self.bridge.steps, ["OpenSession", "RegisterTool", "Publish"])
        self.assertEqual(self.bridge.tool.name, "echo-text")

    def test_answers_with_the_text(self):
        reply = self.bridge.invoke("r1", {"text": "hello"})
        self.assertEqual(reply.result.request_id, "r1")
        self.assertEqual(json_format.MessageToDict(reply.result.data.value), {"text": "hello", "characters": 5})

    def test_an_exception_becomes_the_calls_error(self):
        reply = self.bridge.invoke("r2", {})
        self.assertEqual(reply.failure.request_id, "r2")
        self.assertEqual(reply.failure.error.name, "ValueError")
        self.assertIn("text", reply.failure.error.message)

    def test_comes_back_after_the_bridge_restarts(self):
        self.bridge.stop()
        self.bridge = FakeBridge(self.socket)
        self.bridge.wait_until_published()
        self.assertEqual(self.bridge.invoke("r3", {"text": "again"}).result.request_id, "r3")

    def test_takes_its_socket_as_grpc_writes_it_too(self):
        for scheme in ("unix:", "unix://"):
            self.plugin.kill()
            self.start_plugin(address=scheme + self.socket)

    def test_says_what_it_takes(self):
        self.assertGreater(self.bridge.max_receive_bytes, 4 << 20)

    def test_opens_a_new_session_when_its_stream_is_lost(self):
        self.bridge.lose_the_stream()
        self.bridge.wait_until_published()
        self.assertTrue(self.bridge.session_ended.wait(PATIENCE))  # It would get calls and serve none.
        self.assertEqual(self.bridge.invoke("r7", {"text": "again"}).result.request_id, "r7")

    def test_gives_up_when_the_session_ends_for_a_reason_that_stays(self):
        self.bridge.end_the_session(grpc.StatusCode.ABORTED)
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 1)
        self.bridge.stop()
        self.bridge = FakeBridge(self.socket)

    def test_sigterm_ends_it_with_exit_code_0(self):
        self.bridge.invoke("r5", {"text": "It serves."})
        self.plugin.send_signal(signal.SIGTERM)
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)
        self.assertEqual(self.bridge.steps[3:], ["DrainSession", "half-closed"])

    def test_sigterm_lets_calls_in_flight_finish(self):
        self.start_patient_plugin()
        self.bridge.start("r4", {"text": self.gate})
        with open(self.gate, "w") as text:  # Opens once the tool does: the call is in flight.
            self.plugin.send_signal(signal.SIGTERM)
            self.bridge.wait_until_drained()
            text.write("done")
        self.assertEqual(self.bridge.next_reply().result.data.value.string_value, "done")
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)

    def test_sigterm_serves_calls_that_were_sent_before_it_was_drained(self):
        self.bridge.call_before_drained = "r6"
        self.plugin.send_signal(signal.SIGTERM)
        self.assertEqual(self.bridge.next_reply().result.request_id, "r6")
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)

    def test_sigterm_ends_it_while_there_is_no_bridge(self):
        self.bridge.stop()
        self.plugin.send_signal(signal.SIGTERM)
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)
        self.bridge = FakeBridge(self.socket)


if __name__ == "__main__":
    unittest.main(verbosity=2)
