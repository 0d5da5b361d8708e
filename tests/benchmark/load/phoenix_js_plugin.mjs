// The official Phoenix client as plugins straight on the hub: what one would write without the bridge. The tool "do-work" of every
// one answers with its parameters. Runs where the packages `phoenix` and `ws` are.
//
//   node phoenix_js_plugin.mjs PORT NAME...
import { Socket } from "phoenix";
import WebSocket from "ws";

// Phoenix takes the browser's.
globalThis.WebSocket = WebSocket;

const [port, ...names] = process.argv.slice(2);

function serve(name) {
  const socket = new Socket(`ws://127.0.0.1:${port}/debug_socket`, { transport: WebSocket, params: { api_key: "key" } });
  socket.onError((error) => console.error("socket error:", error.message));
  socket.connect();
  const channel = socket.channel(`debug_plugin:${name}`, {});
  channel.on("invoke_tool", (call) =>
    channel.push("invoke_tool_response", { request_id: call.request_id, data: call.parameters }));
  channel.join().receive("ok", () =>
    channel.push("register_plugin", { name, version: "1.0.0", tools: [{ name: "do-work" }], credentials: [], models: [] }));
}

names.forEach(serve);
