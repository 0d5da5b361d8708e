"""An Atomemo plugin in Python, with nothing but the stubs that protoc makes from proto/atomemo/plugin/v1."""
import concurrent.futures
import contextlib
import os
import queue
import re
import signal
import sys
import threading
import time

import grpc
from google.protobuf import json_format, struct_pb2
from atomemo.plugin.v1 import definition_pb2, parameter_pb2, payload_pb2, plugin_service_pb2 as pb, plugin_service_pb2_grpc

PLUGIN = definition_pb2.PluginDefinition(name="python-echo", version="0.1.0", icon="🦜", author="Atomemo examples", email="examples@example.com",
                                         display_name={"en_US": "Python Echo"}, description={"en_US": "Returns what it is given."})
TEXT = parameter_pb2.Parameter(name="text", required=True, string=parameter_pb2.StringParameter(min_length=1))
TOOL = definition_pb2.ToolDefinition(name="echo-text", icon="🦜", parameters=[TEXT], display_name={
    "en_US": "Echo"}, description={"en_US": "Returns the text and its length."})


MAX_RECEIVE_BYTES = 64 << 20  # gRPC's own default is 4 MiB: a larger call would end the stream.


def echo(parameters):
    """The tool itself. What it raises becomes the call's error."""
    if not parameters.get("text"):
        raise ValueError("`text` is empty: there is nothing to echo")
    return {"text": parameters["text"], "characters": len(parameters["text"])}


def answer(call):
    """The reply to one invocation, whatever happens."""
    try:
        value = json_format.ParseDict(echo(json_format.MessageToDict(call.parameters.fields)), struct_pb2.Value())
        return pb.InvokeReply(result=pb.InvokeResult(request_id=call.info.request_id, data={"value": value}))
    except Exception as error:
        failure = payload_pb2.PluginError(name=type(error).__name__, message=str(error))
        return pb.InvokeReply(failure=pb.CallFailure(request_id=call.info.request_id, error=failure))


def watch(events):
    """Reads what the bridge tells about the session: unread events would fill its buffers."""
    with contextlib.suppress(grpc.RpcError):  # The session's end; its calls end with it.
        for event in filter(lambda event: event.hub_state.reason, events):
            print(f"python-echo: hub: {event.hub_state.reason}", file=sys.stderr, flush=True)


def serve(bridge, drains):
    """One session, from its opening until the bridge ends it. `drains` has what lets its calls finish at SIGTERM."""
    events = bridge.OpenSession(pb.OpenSessionRequest(plugin=PLUGIN, client="python", max_receive_bytes=MAX_RECEIVE_BYTES))
    try:
        serve_session(bridge, next(events).opened.session_id, events, drains)
    finally:
        events.cancel()  # The session may have outlived its stream: the next one gets all calls.


def serve_session(bridge, session_id, events, drains):
    watcher = threading.Thread(target=watch, args=(events,), daemon=True)
    watcher.start()
    bridge.RegisterTool(pb.RegisterToolRequest(session_id=session_id, tool=TOOL))
    replies = queue.SimpleQueue()  # gRPC sends what is put here; None ends the stream.
    replies.put(pb.InvokeReply(subscribe=pb.Subscribe(session_id=session_id, max_in_flight=8)))
    calls = bridge.Invoke(iter(replies.get, None))
    drained = threading.Event()  # The last call has been read.
    workers = concurrent.futures.ThreadPoolExecutor(max_workers=8)
    def drain():
        bridge.DrainSession.future(pb.DrainSessionRequest(session_id=session_id)).exception()  # Waits, raises nothing.
        drained.wait(timeout=2)  # Longer only if Publish still waits for the hub: then there are no calls.
        workers.shutdown()  # Waits for the calls in flight.
        replies.put(None)  # No further answers: the bridge ends `calls`.
        calls.exception()
    drains[:] = [drain]
    try:
        print(f"python-echo: serving {bridge.Publish(pb.PublishRequest(session_id=session_id)).topic}", flush=True)
        for event in calls:
            if event.HasField("invoke"):
                workers.submit(lambda call: replies.put(answer(call)), event.invoke)
            elif event.HasField("drained"):
                drained.set()
    except grpc.RpcError as error:
        if error is not calls:
            raise
        print(f"python-echo: stream lost: {error.code().name}: {error.details()}", file=sys.stderr, flush=True)
        watcher.join(timeout=1)
        if not watcher.is_alive():
            raise events from error  # The whole session has ended, and says why; else a new one mends it.
    finally:
        replies.put(None)
        drained.set()


def main():
    drains = []  # The latest session's, if there was one.
    def end_at_sigterm():
        signal.sigwait([signal.SIGTERM])
        for drain in drains:
            drain()
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # Handled on a thread, which may wait.
    threading.Thread(target=end_at_sigterm, daemon=True).start()
    folder = f"{home}/atomemo" if (home := os.environ.get("XDG_RUNTIME_DIR")) else f"/tmp/atomemo-{os.getuid()}"
    socket = os.environ.get("ATOMEMO_BRIDGE_SOCKET", f"{folder}/bridge.sock")
    target = socket if re.match(r"(unix|dns|ipv4|ipv6):|[^/]+:\d+$", socket) else f"unix:{socket}"
    channel = grpc.insecure_channel(target, [
        ("grpc.max_reconnect_backoff_ms", 1000), ("grpc.max_receive_message_length", MAX_RECEIVE_BYTES)])
    while True:
        try:
            serve(plugin_service_pb2_grpc.PluginServiceStub(channel), drains)
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED):
                sys.exit(f"python-echo: {error.code().name}: {error.details()}")  # To be mended first.
        print(f"python-echo: no session at {socket}, trying again", file=sys.stderr, flush=True)
        time.sleep(1)


if __name__ == "__main__":
    main()
