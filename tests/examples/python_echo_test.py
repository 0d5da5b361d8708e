#!/usr/bin/env python3
"""examples/python-echo/echo.py against a fake bridge, with the generated stubs on PYTHONPATH."""
import concurrent.futures
import contextlib
import json
import os
import queue
import signal
import threading
import unittest

import grpc

from atomemo.plugin.v1 import plugin_service_pb2 as pb, plugin_service_pb2_grpc
from plugin_test_case import PATIENCE, PluginTestCase


class FakeBridge(plugin_service_pb2_grpc.PluginServiceServicer):
    """One session at a time: `hello` is what it began with, `received` what came since."""

    def __init__(self, socket):
        self.hellos = queue.Queue()
        self.received = queue.Queue()
        self._to_plugin = queue.Queue()
        self._server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(max_workers=8), options=[("grpc.max_receive_message_length", -1)])
        plugin_service_pb2_grpc.add_PluginServiceServicer_to_server(self, self._server)
        self._server.add_insecure_port(f"unix:{socket}")
        self._server.start()

    def stop(self):
        self.end_the_session(grpc.StatusCode.UNAVAILABLE)
        self._server.stop(grace=None).wait()

    def next_hello(self):
        return self.hellos.get(timeout=PATIENCE)

    def next(self):
        return self.received.get(timeout=PATIENCE)

    def send(self, **message):
        self._to_plugin.put(pb.BridgeMessage(**message))

    def start(self, request_id, parameters):
        call = pb.Invocation(info=pb.CallInfo(request_id=request_id, event="invoke_tool"), tool_name="echo-text")
        call.parameters.json = json.dumps(parameters).encode()
        self.send(invoke=call)

    def end_the_session(self, code):
        self._to_plugin.put(code)

    def end_a_drained_session(self):
        self._to_plugin.put(None)

    def Serve(self, messages, context):
        hello = next(messages).hello
        self._to_plugin = to_plugin = queue.Queue()
        self.send(opened=pb.SessionOpened(session_id="s1"))
        self.send(published=pb.PublishResponse(topic="debug_plugin:python-echo"))
        self.hellos.put(hello)

        def take():
            with contextlib.suppress(grpc.RpcError):  # A plugin that was killed.
                for message in messages:
                    self.received.put(message)
            to_plugin.put(None)  # The stream is over.

        threading.Thread(target=take, daemon=True).start()
        for message in iter(to_plugin.get, None):
            if isinstance(message, grpc.StatusCode):
                context.abort(message, "the session's end")
            yield message


class PythonEchoTest(PluginTestCase):
    module = "echo"

    def make_bridge(self):
        return FakeBridge(self.socket)

    def wait_until_served(self):
        self.hello = self.bridge.next_hello()

    def restart_bridge(self):
        self.bridge.stop()
        self.bridge = FakeBridge(self.socket)
        return self.bridge.next_hello()

    def test_says_what_it_serves_and_takes(self):
        self.assertIn(b'"echo-text"', self.hello.session.definition_json)
        self.assertEqual(self.hello.session.max_receive_bytes, -1)
        self.assertEqual(list(self.hello.session.open_request_ids), [])

    def test_takes_large_calls(self):
        self.bridge.start("r18", {"text": "x" * (5 << 20)})
        self.assertEqual(json.loads(self.bridge.next().invoked.data.json)["characters"], 5 << 20)

    def test_answers_with_the_text(self):
        self.bridge.start("r1", {"text": "hello"})
        answer = self.bridge.next().invoked
        self.assertEqual(answer.request_id, "r1")
        self.assertEqual(json.loads(answer.data.json), {"text": "hello", "characters": 5})

    def test_an_exception_becomes_the_calls_error(self):
        self.bridge.start("r2", {})
        failure = self.bridge.next().failure
        self.assertEqual((failure.request_id, failure.event), ("r2", "invoke_tool"))
        self.assertEqual(failure.error.name, "ValueError")
        self.assertIn("text", failure.error.message)

    def test_offers_its_answers_again_until_the_hub_has_them(self):
        self.bridge.start("r3", {"text": "kept"})
        self.bridge.start("r4", {"text": "delivered"})
        answers = {self.bridge.next().invoked.request_id for _ in range(2)}
        self.assertEqual(answers, {"r3", "r4"})
        self.bridge.send(delivered=pb.Delivered(request_ids=["r4"]))
        self.bridge.start("r5", {"text": "a round trip behind `delivered`"})
        self.bridge.next()
        hello = self.restart_bridge()
        self.assertEqual(set(hello.session.open_request_ids), {"r3", "r5"})
        self.assertEqual(hello.session.instance_id, self.hello.session.instance_id)
        offered = {self.bridge.next().invoked.request_id for _ in range(2)}
        self.assertEqual(offered, {"r3", "r5"})

    def test_a_call_that_outlives_its_bridge_is_answered_to_the_next(self):
        self.start_patient_plugin()
        self.bridge.start("r6", {"text": self.gate})
        with open(self.gate, "w") as text:  # Opens once the tool does: the call is in flight.
            hello = self.restart_bridge()
            self.assertEqual(list(hello.session.open_request_ids), ["r6"])
            text.write("done")
        self.assertEqual(json.loads(self.bridge.next().invoked.data.json), "done")

    def test_a_cancelled_call_is_not_kept(self):
        self.start_patient_plugin()
        self.bridge.start("r7", {"text": self.gate})
        with open(self.gate, "w") as text:
            self.bridge.send(cancel=pb.Cancel(request_id="r7"))
            self.bridge.start("r11", {})  # Fails at once, behind the cancel.
            self.assertEqual(self.bridge.next().failure.request_id, "r11")
            hello = self.restart_bridge()
            self.assertEqual(list(hello.session.open_request_ids), ["r11"])
            self.assertEqual(self.bridge.next().failure.request_id, "r11")
            text.write("done")
        self.bridge.start("r13", {})
        self.assertEqual(self.bridge.next().failure.request_id, "r13")

    def test_a_rejected_answer_is_not_kept(self):
        self.bridge.start("r14", {})
        self.assertEqual(self.bridge.next().failure.request_id, "r14")
        self.bridge.send(rejected=pb.Rejected(request_id="r14"))
        self.bridge.start("r15", {})
        self.bridge.next()
        self.assertEqual(list(self.restart_bridge().session.open_request_ids), ["r15"])

    def test_serves_as_many_calls_at_once_as_it_says(self):
        self.start_patient_plugin()
        gates = [f"{self.gate}-{number}" for number in range(self.hello.max_invocations)]
        for gate in gates:
            os.mkfifo(gate)
            self.bridge.start(gate, {"text": gate})
        for gate in reversed(gates):  # The first one is answered last.
            with open(gate, "w") as text:
                text.write("done")
            self.assertEqual(self.bridge.next().invoked.request_id, gate)

    def test_comes_back_after_its_stream_is_lost(self):
        self.bridge.end_the_session(grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.bridge.next_hello()
        self.bridge.start("r8", {"text": "again"})
        self.assertEqual(self.bridge.next().invoked.request_id, "r8")

    def test_gives_up_when_it_is_refused_and_says_everything_that_is_wrong(self):
        violations = [pb.DefinitionViolation(path=f"tools[{number}].name", message="expected") for number in range(3)]
        self.bridge.send(refused=pb.Refused(message="not valid", violations=violations))
        self.bridge.end_the_session(grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 1)
        for violation in violations:
            self.assertIn(violation.path, self.output())

    def test_takes_its_socket_as_grpc_writes_it_too(self):
        for scheme in ("unix:", "unix://"):
            self.plugin.kill()
            self.start_plugin(address=scheme + self.socket)

    def test_sigterm_lets_calls_in_flight_finish(self):
        self.start_patient_plugin()
        self.bridge.start("r9", {"text": self.gate})
        with open(self.gate, "w") as text:
            self.plugin.send_signal(signal.SIGTERM)
            self.assertTrue(self.bridge.next().HasField("drain"))
            self.bridge.send(drained=pb.Drained())
            text.write("done")
        self.assertEqual(json.loads(self.bridge.next().invoked.data.json), "done")
        self.bridge.end_a_drained_session()
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)

    def test_sigterm_serves_calls_that_were_sent_before_it_was_drained(self):
        self.plugin.send_signal(signal.SIGTERM)
        self.assertTrue(self.bridge.next().HasField("drain"))
        self.bridge.start("r10", {"text": "just in time"})
        self.bridge.send(drained=pb.Drained())
        self.assertEqual(self.bridge.next().invoked.request_id, "r10")
        self.bridge.end_a_drained_session()
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)

    def test_sigterm_takes_its_answers_to_the_next_bridge_if_this_one_dies(self):
        self.start_patient_plugin()
        self.bridge.start("r12", {"text": self.gate})
        with open(self.gate, "w") as text:
            self.plugin.send_signal(signal.SIGTERM)
            self.assertTrue(self.bridge.next().HasField("drain"))
            hello = self.restart_bridge()
            self.assertEqual(list(hello.session.open_request_ids), ["r12"])
            self.assertTrue(self.bridge.next().HasField("drain"))
            self.bridge.send(drained=pb.Drained())
            text.write("done")
        self.assertEqual(json.loads(self.bridge.next().invoked.data.json), "done")
        self.bridge.end_a_drained_session()
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)

    def test_sigterm_offers_its_answers_before_it_asks_to_be_drained(self):
        self.bridge.start("r16", {})
        self.bridge.next()
        self.bridge.stop()
        self.plugin.send_signal(signal.SIGTERM)
        self.bridge = FakeBridge(self.socket)
        self.assertEqual(list(self.bridge.next_hello().session.open_request_ids), ["r16"])
        self.assertEqual(self.bridge.next().failure.request_id, "r16")
        self.assertTrue(self.bridge.next().HasField("drain"))
        self.bridge.end_a_drained_session()
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)

    def test_sigterm_ends_it_though_a_call_takes_for_ever(self):
        self.start_patient_plugin()
        self.bridge.start("r17", {"text": self.gate})
        with open(self.gate, "w"):
            self.plugin.send_signal(signal.SIGTERM)
            self.assertTrue(self.bridge.next().HasField("drain"))
            self.assertEqual(self.plugin.wait(timeout=PATIENCE), -signal.SIGALRM)

    def test_sigterm_ends_it_while_there_is_no_bridge(self):
        self.bridge.stop()
        self.plugin.send_signal(signal.SIGTERM)
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
