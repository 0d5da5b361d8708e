"""An Atomemo plugin in Python, with nothing but the stubs that protoc makes from proto/atomemo/plugin/v1."""
import concurrent.futures
import json
import os
import queue
import re
import signal
import sys
import time
import uuid

import grpc
from atomemo.plugin.v1 import payload_pb2, plugin_service_pb2 as pb, plugin_service_pb2_grpc

MAX_RECEIVE_BYTES = 64 << 20  # gRPC's own default is 4 MiB: a larger call would end the stream.
DEFINITION = {
    "name": "python-echo", "version": "0.1.0", "icon": "🦜", "locales": ["en_US"], "author": "Atomemo examples", "email": "examples@example.com",
    "display_name": {"en_US": "Python Echo"}, "description": {"en_US": "Returns what it is given."},
    "tools": [{
        "name": "echo-text", "icon": "🦜",
        "display_name": {"en_US": "Echo"}, "description": {"en_US": "Returns the text and its length."},
        "parameters": [{"name": "text", "type": "string", "required": True, "min_length": 1}]}]}
INSTANCE_ID = uuid.uuid4().hex
STAYS = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.PERMISSION_DENIED,
         grpc.StatusCode.ABORTED, grpc.StatusCode.UNIMPLEMENTED}  # Trying again does not help.


def echo(parameters):
    """The tool itself. What it raises becomes the call's error."""
    if not parameters.get("text"):
        raise ValueError("`text` is empty: there is nothing to echo")
    return {"text": parameters["text"], "characters": len(parameters["text"])}


class Plugin:
    """Sessions with a bridge, one after the other, and the calls that outlive each of them."""

    def __init__(self):
        self.answers = {}  # By request_id: None while the call runs; kept until the hub has the answer.
        self.workers = concurrent.futures.ThreadPoolExecutor(max_workers=8)
        self.running = set()
        self.to_bridge = queue.SimpleQueue()
        self.stopping = False
        self.give_up_at = None

    def stop(self, *_):
        if self.give_up_at and time.monotonic() > self.give_up_at:
            os._exit(1)  # It was asked before, and does not come to an end.
        self.give_up_at = self.give_up_at or time.monotonic() + 10
        self.stopping = True
        self.to_bridge.put(pb.PluginMessage(drain=pb.Drain()))

    def work(self, call):
        answer = pb.PluginMessage(invoked=pb.InvokeResult(request_id=call.info.request_id))
        try:
            answer.invoked.data.json = json.dumps(echo(json.loads(call.parameters.json))).encode()
        except Exception as error:
            failure = payload_pb2.PluginError(name=type(error).__name__, message=str(error))
            answer.failure.CopyFrom(pb.CallFailure(request_id=call.info.request_id, event=call.info.event, error=failure))
        if call.info.request_id in self.answers:  # Unless it was cancelled.
            self.answers[call.info.request_id] = answer
            self.to_bridge.put(answer)

    def serve(self, bridge):
        messages = queue.SimpleQueue()  # gRPC sends what is put here; None ends the stream.
        session = pb.OpenSessionRequest(
            definition_json=json.dumps(DEFINITION).encode(), client="python", payload_encoding=payload_pb2.PAYLOAD_ENCODING_JSON,
            instance_id=INSTANCE_ID, open_request_ids=list(self.answers), max_receive_bytes=MAX_RECEIVE_BYTES)
        messages.put(pb.PluginMessage(hello=pb.Hello(session=session, max_invocations=8)))
        self.to_bridge = messages  # From now on answers come here, behind `hello`.
        if self.stopping:
            self.stop()
        for answer in filter(None, list(self.answers.values())):
            messages.put(answer)
        try:
            for message in bridge.Serve(iter(messages.get, None)):
                kind = message.WhichOneof("message")
                if kind == "invoke":
                    self.answers[message.invoke.info.request_id] = None
                    future = self.workers.submit(self.work, message.invoke)
                    self.running.add(future)
                    future.add_done_callback(self.running.discard)
                elif kind in ("cancel", "rejected"):
                    self.answers.pop(getattr(message, kind).request_id, None)
                    if kind == "rejected":
                        print(f"python-echo: {message}", file=sys.stderr, flush=True)
                elif kind == "delivered":
                    for request_id in message.delivered.request_ids:
                        self.answers.pop(request_id, None)
                elif kind == "drained" and self.stopping:
                    concurrent.futures.wait(list(self.running), timeout=max(0, self.give_up_at - time.monotonic()))
                    messages.put(None)
                elif kind == "published":
                    print(f"python-echo: serving {message.published.topic}", flush=True)
                elif kind == "refused" or message.hub_state.reason:
                    print(f"python-echo: {message}", file=sys.stderr, flush=True)
        finally:
            messages.put(None)


def main():
    plugin = Plugin()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, plugin.stop)
    folder = f"{home}/atomemo" if (home := os.environ.get("XDG_RUNTIME_DIR")) else f"/tmp/atomemo-{os.getuid()}"
    socket = os.environ.get("ATOMEMO_BRIDGE_SOCKET", f"{folder}/bridge.sock")
    target = socket if re.match(r"(unix|dns|ipv4|ipv6):|[^/]+:\d+$", socket) else f"unix:{socket}"
    channel = grpc.insecure_channel(target, [
        ("grpc.max_reconnect_backoff_ms", 1000), ("grpc.max_receive_message_length", MAX_RECEIVE_BYTES)])
    while True:
        try:
            plugin.serve(plugin_service_pb2_grpc.PluginServiceStub(channel))
            if plugin.stopping:
                return  # Every answer is with the bridge.
        except grpc.RpcError as error:
            if error.code() in STAYS:
                sys.exit(f"python-echo: {error.code().name}: {error.details()}")
            print(f"python-echo: no session at {socket}: {error.details()}", file=sys.stderr, flush=True)
        if plugin.stopping and (not plugin.answers or time.monotonic() > plugin.give_up_at):
            return
        time.sleep(1)


if __name__ == "__main__":
    main()
