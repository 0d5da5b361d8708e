// The official Phoenix client, used as the official JavaScript SDK uses it, is a plugin of the
// development hub. So the hub cannot drift into a dialect that only our bridge understands.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Socket } from "phoenix";
import WebSocket from "ws";
import { Hub } from "./hub.mjs";

const definition = {
  name: "js-plugin",
  version: "1.0.0",
  display_name: { en_US: "JavaScript" },
  description: { en_US: "A plugin on the Phoenix client" },
  icon: "🧪",
  lang: "typescript",
  author: "Test",
  email: "test@example.com",
  repo: "https://example.com/js-plugin",
  locales: ["en_US"],
  transporterOptions: {},
  credentials: [],
  tools: [],
  models: [],
};

let hub;
const sockets = [];

before(async () => (hub = await Hub.start()));
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect();
});
after(() => hub.stop());

// A socket whose retries come at once, so that no test waits for a back-off.
function openSocket({ path = "/debug_socket", params = { api_key: "dev-key" } } = {}) {
  const socket = new Socket(hub.wsUrl + path, {
    params,
    transport: WebSocket,
    reconnectAfterMs: () => 1,
    rejoinAfterMs: () => 1,
  });
  sockets.push(socket);
  socket.connect();
  return socket;
}

// The reply to a push or join: resolves with its response, rejects with the error's.
function reply(push) {
  return new Promise((resolve, reject) => {
    push
      .receive("ok", resolve)
      .receive("error", (response) => reject(Object.assign(new Error("error reply"), { response })))
      .receive("timeout", () => reject(new Error("no reply")));
  });
}

// Pushes what the hub does not reply to; the client need not wait long for a reply.
function send(channel, event, payload) {
  channel.push(event, payload, 1);
}

// Resolves when the hub answers the channel's next join.
function nextJoin(channel) {
  const last = channel.joinRef();
  return new Promise((resolve) => {
    channel.socket.onMessage(({ topic, event, ref }) => {
      const join = channel.joinRef();
      if (topic === channel.topic && event === "phx_reply" && join !== last && ref === join) resolve();
    });
  });
}

// The payload of the channel's next `event`.
function next(channel, event) {
  return new Promise((resolve) => {
    const ref = channel.on(event, (payload) => {
      channel.off(event, ref);
      resolve(payload);
    });
  });
}

async function joinPlugin(socket = openSocket(), topic = "debug_plugin:js-plugin") {
  const channel = socket.channel(topic, {});
  channel.on("invoke_tool", ({ request_id, parameters }) =>
    send(channel, "invoke_tool_response", { request_id, data: { echo: parameters } }),
  );
  await reply(channel.join());
  return channel;
}

async function assertServes(plugin = "js-plugin") {
  const { status, body } = await hub.call(plugin, "invoke_tool", {
    tool_name: "echo",
    parameters: { text: "héllo" },
  });
  assert.equal(status, 200);
  assert.equal(body.event, "invoke_tool_response");
  assert.deepEqual(body.payload.data, { echo: { text: "héllo" } });
}

test("joins, registers its definition and answers a call", async () => {
  const channel = await joinPlugin();
  assert.deepEqual(await reply(channel.push("register_plugin", definition)), { success: true });
  assert.deepEqual(await hub.get("/api/plugins/js-plugin/definition"), definition);
  await assertServes();
});

test("a refused definition gets an error reply with code and message", async () => {
  const channel = await joinPlugin();
  await assert.rejects(reply(channel.push("register_plugin", { name: 7 })), ({ response }) => {
    assert.equal(typeof response.code, "string");
    assert.equal(typeof response.message, "string");
    assert.ok("suberrors" in response);
    return true;
  });
});

test("a release is claimed by its join alone", async () => {
  const socket = openSocket({ path: "/release_socket", params: {} });
  await joinPlugin(socket, "release_plugin:js-release__release__1.0.0");
  await assertServes("js-release");
});

test("hub calls are answered, and uploaded bytes come back", async () => {
  const channel = await joinPlugin();
  const hubCall = (event, data) => {
    const answer = next(channel, "hub_call_response");
    send(channel, `hub_call:${event}`, { request_id: event, data });
    return answer;
  };
  const upload = (await hubCall("get_upload_url", { extension: "txt", prefixKey: "js" })).data;
  const put = await fetch(upload.presigned_url, {
    method: "PUT",
    body: "the bytes",
    headers: { "content-type": "text/plain" },
  });
  assert.equal(put.status, 200);
  const download = await hubCall("get_file_url", { res_key: upload.res_key });
  assert.equal(await (await fetch(download.data.url)).text(), "the bytes");
  const llm = await hubCall("invoke_llm", { messages: [{ role: "user", content: "hi" }] });
  assert.equal(llm.request_id, "invoke_llm");
  assert.equal(llm.data.choices[0].message.content, "hi");
});

test("an unknown hub call gets hub_call_error", async () => {
  const channel = await joinPlugin();
  const answer = next(channel, "hub_call_error");
  send(channel, "hub_call:no_such_call", { request_id: "r", data: {} });
  const { request_id, error } = await answer;
  assert.equal(request_id, "r");
  assert.equal(error.code, "unsupported_event");
});

test("a wrong key is refused with 403", async () => {
  const url = `${hub.wsUrl}/debug_socket/websocket?api_key=wrong&vsn=2.0.0`;
  const message = await new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.on("error", (error) => resolve(error.message));
    socket.on("open", () => reject(new Error("the socket opened")));
  });
  assert.match(message, /403/);
});

test("the client rejoins and serves after its channel crashed", async () => {
  const channel = await joinPlugin();
  const rejoined = nextJoin(channel);
  send(channel, "no_such_event", {});
  await rejoined;
  await assertServes();
});

test("the client rejoins and serves after the hub crashed its channel", async () => {
  const channel = await joinPlugin();
  const rejoined = nextJoin(channel);
  await hub.post("/api/crash_channel", { topic: channel.topic });
  await rejoined;
  await assertServes();
});

for (const how of [{ code: 1012 }, { abrupt: true }]) {
  test(`the client reconnects and serves after a disconnect ${JSON.stringify(how)}`, async () => {
    const channel = await joinPlugin();
    const rejoined = nextJoin(channel);
    assert.equal((await hub.post("/api/disconnect", how)).body.disconnected, 1);
    await rejoined;
    await assertServes();
  });
}

test("a second join of a topic takes it over, and the first channel is closed", async () => {
  const socket = openSocket();
  const first = await joinPlugin(socket);
  const closed = new Promise((resolve) => first.onClose(resolve));
  await joinPlugin(socket);
  await closed;
  assert.equal((await hub.get("/api/plugins")).plugins[0].sockets, 1);
  await assertServes();
});

test("leaving is answered and ends the plugin", async () => {
  const channel = await joinPlugin();
  await reply(channel.leave());
  const { status } = await hub.call("js-plugin", "invoke_tool", {});
  assert.equal(status, 404);
});

test("heartbeats are answered", async () => {
  const socket = openSocket();
  await joinPlugin(socket);
  const answered = new Promise((resolve) =>
    socket.onMessage(({ topic, event }) => topic === "phoenix" && event === "phx_reply" && resolve()),
  );
  socket.sendHeartbeat();
  await answered;
});
