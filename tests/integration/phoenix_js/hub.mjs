// The development hub as a child process, and its HTTP API.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { once } from "node:events";

export class Hub {
  static async start() {
    const child = spawn(process.env.DEVHUB, { stdio: ["pipe", "pipe", "inherit"] });
    const [port] = await once(createInterface(child.stdout), "line");
    return new Hub(child, Number(port));
  }

  constructor(child, port) {
    this.child = child;
    this.url = `http://127.0.0.1:${port}`;
    this.wsUrl = `ws://127.0.0.1:${port}`;
  }

  async stop() {
    this.child.stdin.end(); // the hub stops when its input ends
    await once(this.child, "exit");
  }

  async get(path) {
    return (await fetch(this.url + path)).json();
  }

  async post(path, body) {
    const response = await fetch(this.url + path, { method: "POST", body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  }

  call(plugin, event, payload) {
    return this.post("/api/calls", { plugin, event, payload, timeout_ms: 10000 });
  }
}
