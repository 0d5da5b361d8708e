"""An Atomemo plugin in Python, with nothing but the stubs that protoc makes from proto/atomemo/plugin/v1."""
import json
import os
import pathlib
import queue
import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import grpc
from atomemo.plugin.v1 import plugin_service_pb2 as pb, plugin_service_pb2_grpc

DEFINITION = pathlib.Path(__file__).with_name("definition.json")
INSTANCE_ID = os.urandom(16).hex()
WORKERS = ThreadPoolExecutor(max_workers=8)


def echo(parameters):
    """The tool itself. What it raises becomes the call's error."""
    if not parameters.get("text"):
        raise ValueError("`text` is empty: there is nothing to echo")
    return {"text": parameters["text"], "characters": len(parameters["text"])}


def answer(call):
    try:
        data = json.dumps(echo(json.loads(call.parameters.json))).encode()
        return pb.PluginMessage(invoked={"request_id": call.info.request_id, "data": {"json": data}})
    except Exception as error:
        what = {"name": type(error).__name__, "message": str(error)}
        return pb.PluginMessage(failure={"request_id": call.info.request_id, "event": call.info.event, "error": what})


def serve(messages, to_bridge, calls, stopping):
    """One session. `calls` has the futures of answers by request_id, each until the hub has the answer."""
    session = {"definition_json": DEFINITION.read_bytes(), "payload_encoding": "PAYLOAD_ENCODING_JSON",
               "max_receive_bytes": -1, "instance_id": INSTANCE_ID, "open_request_ids": list(calls)}
    to_bridge.put(pb.PluginMessage(hello={"session": session, "max_invocations": 8}))
    for message in messages:
        if message.HasField("opened"):  # What was done before this session is sent at once, the rest when it is done.
            for call in [*calls.values(), stopping]:
                call.add_done_callback(lambda done: to_bridge.put(done.result()))
        elif message.HasField("invoke"):
            call = calls[message.invoke.info.request_id] = WORKERS.submit(answer, message.invoke)
            call.add_done_callback(lambda done: to_bridge.put(done.result()))
        elif message.HasField("refused"):
            raise SystemExit(f"python-echo: {message}")
        elif not message.HasField("delivered"):
            print(f"python-echo: {message}", flush=True)
        for over in [*message.delivered.request_ids, message.cancel.request_id, message.rejected.request_id]:
            calls.pop(over, None)


def main():
    calls, stopping, signals = {}, Future(), [signal.SIGTERM, signal.SIGINT]
    def stop():
        signal.sigwait(signals)
        signal.alarm(10)  # Ends the process, should a call take longer.
        stopping.set_result(pb.PluginMessage(drain={}))
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    threading.Thread(target=stop, daemon=True).start()
    channel = grpc.insecure_channel("unix:" + os.environ["ATOMEMO_BRIDGE_SOCKET"].removeprefix("unix:"), [
        ("grpc.max_reconnect_backoff_ms", 1000), ("grpc.max_receive_message_length", -1)])
    while calls or not stopping.done():
        to_bridge = queue.SimpleQueue()  # gRPC sends what is put here; None ends the stream.
        try:
            messages = plugin_service_pb2_grpc.PluginServiceStub(channel).Serve(iter(to_bridge.get, None))
            return serve(messages, to_bridge, calls, stopping)  # Drained.
        except grpc.RpcError as error:
            print(f"python-echo: {error.code().name}: {error.details()}", flush=True)
        to_bridge.put(None)
        time.sleep(1)


if __name__ == "__main__":
    main()
