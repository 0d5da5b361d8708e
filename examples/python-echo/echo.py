"""An Atomemo plugin in Python, with nothing but the stubs that protoc makes from proto/atomemo/plugin/v1."""
import concurrent.futures
import contextlib
import os
import queue
import signal
import sys
import threading
import time

import grpc
from google.protobuf import json_format
from atomemo.plugin.v1 import definition_pb2, parameter_pb2, payload_pb2, plugin_service_pb2 as pb, plugin_service_pb2_grpc

PLUGIN = definition_pb2.PluginDefinition(
    name="python-echo", version="0.1.0", icon="🦜",
    display_name={"en_US": "Python Echo"}, description={"en_US": "Returns what it is given."})
TEXT = parameter_pb2.Parameter(
    name="text", required=True, display_name={"en_US": "Text"}, string=parameter_pb2.StringParameter(min_length=1))
TOOL = definition_pb2.ToolDefinition(
    name="echo-text", icon="🦜", parameters=[TEXT],
    display_name={"en_US": "Echo"}, description={"en_US": "Returns the text and its length."})


def echo(parameters):
    """The tool itself. What it raises becomes the call's error."""
    if not parameters.get("text"):
        raise ValueError("`text` is empty: there is nothing to echo")
    return {"text": parameters["text"], "characters": len(parameters["text"])}


def answer(call):
    """The reply to one invocation, whatever happens."""
    try:
        data = payload_pb2.JsonValue()
        json_format.ParseDict(echo(json_format.MessageToDict(call.parameters.fields)), data.value)
        return pb.InvokeReply(result=pb.InvokeResult(request_id=call.info.request_id, data=data))
    except Exception as error:
        failure = payload_pb2.PluginError(name=type(error).__name__, message=str(error))
        return pb.InvokeReply(failure=pb.CallFailure(request_id=call.info.request_id, error=failure))


def watch(events):
    """Reads what the bridge tells about the session: unread events would fill its buffers."""
    with contextlib.suppress(grpc.RpcError):  # The session's end; its calls end with it.
        for event in events:
            if event.HasField("hub_state") and event.hub_state.reason:
                print(f"python-echo: hub: {event.hub_state.reason}", file=sys.stderr, flush=True)


def serve(bridge):
    """One session, from its opening until the bridge ends it, or until SIGTERM, which lets calls in flight finish."""
    events = bridge.OpenSession(pb.OpenSessionRequest(plugin=PLUGIN, client="python"))
    session_id = next(events).opened.session_id
    threading.Thread(target=watch, args=(events,), daemon=True).start()
    bridge.RegisterTool(pb.RegisterToolRequest(session_id=session_id, tool=TOOL))
    replies = queue.SimpleQueue()  # gRPC sends what is put here; None ends the stream.
    replies.put(pb.InvokeReply(subscribe=pb.Subscribe(session_id=session_id, max_in_flight=8)))
    calls = bridge.Invoke(iter(replies.get, None))
    in_flight = set()
    def drain():
        bridge.DrainSession(pb.DrainSessionRequest(session_id=session_id))  # No further calls.
        while in_flight:
            concurrent.futures.wait(list(in_flight))
        replies.put(None)  # No further answers: the bridge ends `calls`.
    draining = threading.Thread(target=drain, daemon=True)
    try:
        topic = bridge.Publish(pb.PublishRequest(session_id=session_id)).topic
        print(f"python-echo: serving {topic}", flush=True)
        signal.signal(signal.SIGTERM, lambda *_: draining.ident or draining.start())
        with concurrent.futures.ThreadPoolExecutor(max_workers=8) as workers:
            for event in filter(lambda event: event.HasField("invoke"), calls):
                in_flight.add(task := workers.submit(lambda call=event.invoke: replies.put(answer(call))))
                task.add_done_callback(in_flight.discard)
    finally:
        replies.put(None)
        if draining.ident:
            sys.exit()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    runtime_dir = os.environ.get("XDG_RUNTIME_DIR")
    folder = f"{runtime_dir}/atomemo" if runtime_dir else f"/tmp/atomemo-{os.getuid()}"
    socket = os.environ.get("ATOMEMO_BRIDGE_SOCKET", f"{folder}/bridge.sock")
    while True:
        try:
            with grpc.insecure_channel(f"unix:{socket}") as channel:
                serve(plugin_service_pb2_grpc.PluginServiceStub(channel))
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED):
                sys.exit(f"python-echo: {error.code().name}: {error.details()}")  # To be mended first.
        print(f"python-echo: no bridge at {socket}, trying again", file=sys.stderr, flush=True)
        time.sleep(1)


if __name__ == "__main__":
    main()
