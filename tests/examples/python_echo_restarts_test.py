#!/usr/bin/env python3
"""examples/python-echo/echo.py at a real bridge that is killed at each step of a call, and a development hub.

Usage: python_echo_restarts_test.py BRIDGE      (with the generated stubs on PYTHONPATH)
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from plugin_test_case import PATIENCE, patient_arguments

BRIDGE = sys.argv.pop(1)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("it does not come to that")
        time.sleep(0.02)
    return result


class RestartsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = {**os.environ, "ATOMEMO_BRIDGE_SOCKET": f"{self.folder}/bridge.sock"}
        self.port = free_port()

    def start(self, *command):
        process = subprocess.Popen(command, env=self.environment)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start_hub(self):
        self.start(BRIDGE, "hub", "--listen", f"127.0.0.1:{self.port}", "--log-level", "error")

    def start_bridge(self):
        self.bridge = self.start(
            BRIDGE, "serve", "--hub-ws-url", f"ws://127.0.0.1:{self.port}", "--debug-api-key", "dev-key",
            "--log-level", "warning")

    def start_plugin(self):
        self.plugin = self.start(sys.executable, *patient_arguments("echo"))

    def start_all(self):
        self.start_hub()
        self.start_bridge()
        self.start_plugin()

    def kill_bridge(self):
        self.bridge.kill()
        self.bridge.wait()

    def is_connected(self):
        health = subprocess.run([BRIDGE, "health", "--format", "json"], env=self.environment, capture_output=True, check=False)
        return b'"python-echo"' in health.stdout

    def ask_hub(self, path, body=None):
        data = json.dumps(body).encode() if body else None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, PATIENCE) as response:
                return json.load(response)
        except (urllib.error.URLError, ConnectionError):
            return None

    def call(self, request_id):
        """Makes a call whose tool works until `finish(request_id)`; it has begun when this returns."""
        os.mkfifo(self.folder / request_id)
        body = {"plugin": "python-echo", "event": "invoke_tool", "request_id": request_id, "wait": False,
                "payload": {"tool_name": "echo-text", "parameters": {"text": f"{self.folder}/{request_id}"}}}
        wait_until(lambda: self.ask_hub("/api/calls", body))
        return open(self.folder / request_id, "w")  # Opens once the tool has opened it, too.

    def answers(self, request_id):
        return wait_until(lambda: self.ask_hub(f"/api/calls/{request_id}"))["answers"]

    def expect_one_answer(self, request_id):
        wait_until(lambda: self.answers(request_id))
        [answer] = self.answers(request_id)
        self.assertEqual(answer["payload"]["data"], request_id)

    def expect_served(self, request_id):
        with self.call(request_id) as tool:
            tool.write(request_id)
        self.expect_one_answer(request_id)

    def test_killed_before_the_hub_has_the_definition(self):
        self.start_bridge()
        self.start_plugin()
        wait_until(self.is_connected)
        self.kill_bridge()
        self.start_bridge()
        self.start_hub()
        self.expect_served("r1")

    def test_killed_while_the_tool_works_which_ends_before_the_bridge_is_back(self):
        self.start_all()
        with self.call("r2") as tool:
            self.kill_bridge()
            tool.write("r2")
        self.start_bridge()
        self.expect_one_answer("r2")
        self.expect_served("r3")

    def test_killed_while_the_tool_works_which_ends_afterwards(self):
        self.start_all()
        with self.call("r4") as tool:
            self.kill_bridge()
            self.start_bridge()
            wait_until(self.is_connected)
            tool.write("r4")
        self.expect_one_answer("r4")

    def test_killed_twice_while_the_tool_works(self):
        self.start_all()
        with self.call("r5") as tool:
            for _ in range(2):
                self.kill_bridge()
                self.start_bridge()
                wait_until(self.is_connected)
            tool.write("r5")
        self.expect_one_answer("r5")

    def test_killed_when_the_hub_has_the_answer(self):
        self.start_all()
        self.expect_served("r6")
        self.expect_served("r7")
        self.kill_bridge()
        self.start_bridge()
        self.expect_served("r8")
        # Whether the plugin had heard of them or not, the hub takes each once.
        for request_id in ("r6", "r7"):
            self.assertEqual({json.dumps(answer["payload"]) for answer in self.answers(request_id)},
                             {json.dumps({"request_id": request_id, "data": request_id})})

    def test_killed_while_the_plugin_stops(self):
        self.start_all()
        with self.call("r9") as tool:
            self.plugin.send_signal(signal.SIGTERM)
            self.kill_bridge()
            self.start_bridge()
            wait_until(self.is_connected)
            tool.write("r9")
        self.expect_one_answer("r9")
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)

    def test_a_plugin_that_stops_with_nothing_to_do_leaves_at_once(self):
        self.start_all()
        self.expect_served("r10")
        self.plugin.send_signal(signal.SIGTERM)
        self.assertEqual(self.plugin.wait(timeout=PATIENCE), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
