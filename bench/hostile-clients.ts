import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { makeSecret } from "../server/src/domain/key-format.ts";
import { systemRandomBytes } from "../server/src/lib/ids.ts";

// Clients of one tenant, as a separate process. Each attack runs until the message `stop`. The process then reports the
// number of responses by attack and status. A well-behaved tenant opens as many connections, and sends as many requests and
// bytes. Its bodies are whole and its keys are known. Its share allows its downloads, and small pages are read instead of
// the others.

export type Attack = "bodies" | "connections" | "exports" | "unknown-keys";
export type Conduct = "hostile" | "well-behaved";

export interface TenantClients {
  port: number;
  attacks: readonly Attack[];
  conduct: Conduct;
  /** Key of a workspace. */
  apiKey: string;
  adminKey: string;
  model: string;
}

export type HostileReport = Record<string, number>;

/** The other clients use 127.0.0.1. */
const ADDRESS = "127.0.0.2";
const BODIES = 32;
const BODY_BYTES = 32 * 1024 * 1024;
const MISSING_BYTES = 1_024;
const IDLE_CONNECTIONS = 10_000;
const CONNECTIONS_AT_ONCE = 200;
const EXPORTS = 16;
/** Files that one caller may download at the same time. */
const EXPORTS_AT_ONCE = 2;
const KEYS_PER_SECOND = 600;
const TICK_MS = 100;
const RETRY_MS = 1_000;
/** Time for open connections to end, milliseconds. */
const STOP_WITHIN_MS = 5_000;

let stopping = new AbortController();
let report: HostileReport = {};
let running: Promise<unknown> = Promise.resolve();

process.on("disconnect", () => process.exit(0));
process.on("message", (message: TenantClients | { stop: true }) => {
  if ("attacks" in message) {
    stopping = new AbortController();
    stopping.signal.addEventListener("abort", () => undefined);
    report = {};
    running = Promise.all(message.attacks.map((attack) => runAttack(attack, message)));
    return;
  }
  stopping.abort();
  void Promise.race([running, delay(STOP_WITHIN_MS)]).then(() => process.send?.(report));
});

function runAttack(attack: Attack, clients: TenantClients): Promise<unknown> {
  const { port, apiKey, adminKey, conduct } = clients;
  const isHostile = conduct === "hostile";
  const { signal } = stopping;
  switch (attack) {
    case "bodies": {
      const head = `POST /v1/messages/count_tokens HTTP/1.1\r\nhost: a\r\nx-api-key: ${apiKey}\r\ncontent-length: ${BODY_BYTES}\r\nconnection: close\r\n\r\n`;
      const after = makeBody(clients);
      return repeat(BODIES, { port, text: head, after, attack, signal });
    }
    case "exports": {
      const makeText = (path: string) =>
        `GET ${path} HTTP/1.1\r\nhost: a\r\nx-api-key: ${adminKey}\r\nconnection: close\r\n\r\n`;
      const request = { port, after: null, attack, signal };
      const download = { ...request, text: makeText("/v1/admin/requests/export?format=csv") };
      const page = { ...request, text: makeText("/v1/admin/requests?limit=1") };
      const others = EXPORTS - EXPORTS_AT_ONCE;
      return Promise.all([
        repeat(EXPORTS_AT_ONCE, download),
        repeat(others, isHostile ? download : page),
      ]);
    }
    case "connections":
      return holdConnections(port, signal, isHostile ? "" : makeGet(apiKey, "keep-alive"));
    case "unknown-keys":
      return sendKeys(port, signal, () =>
        isHostile ? makeSecret("api", systemRandomBytes).secret : apiKey,
      );
  }
}

/** A hostile body lacks its end. */
function makeBody({ conduct, model }: TenantClients): Buffer {
  if (conduct === "hostile") return Buffer.alloc(BODY_BYTES - MISSING_BYTES, " ");
  const start = `{"model":"${model}","messages":[{"role":"user","content":"`;
  const end = '"}]}';
  const body = Buffer.alloc(BODY_BYTES, "a");
  body.write(start, 0);
  body.write(end, BODY_BYTES - end.length);
  return body;
}

function makeGet(apiKey: string, connection: "close" | "keep-alive"): string {
  return `GET /v1/models HTTP/1.1\r\nhost: a\r\nx-api-key: ${apiKey}\r\nconnection: ${connection}\r\n\r\n`;
}

interface Request {
  port: number;
  text: string;
  after: Buffer | null;
  attack: Attack;
  signal: AbortSignal;
}

/** Clients that each send the request again after a pause. */
async function repeat(clients: number, request: Request): Promise<void> {
  const { signal } = request;
  const runOne = async () => {
    while (!signal.aborted) {
      await exchange(request);
      await pause(RETRY_MS, signal);
    }
  };
  await Promise.all(Array.from({ length: clients }, runOne));
}

/** Sends bytes and reads until the server closes the connection or the attack ends. */
function exchange({ port, text, after, attack, signal }: Request): Promise<void> {
  return new Promise((resolve) => {
    const socket = open(port);
    let isAnswered = false;
    const stop = () => endNow(socket);
    signal.addEventListener("abort", stop);
    socket.write(text);
    if (after !== null) socket.write(after);
    socket.on("data", (data: Buffer) => {
      if (!isAnswered) count(attack, data.toString("latin1", 9, 12));
      isAnswered = true;
    });
    socket.on("close", () => {
      signal.removeEventListener("abort", stop);
      if (!isAnswered && !signal.aborted) count(attack, "closed");
      resolve();
    });
  });
}

async function sendKeys(
  port: number,
  signal: AbortSignal,
  nextSecret: () => string,
): Promise<void> {
  while (!signal.aborted) {
    for (let i = 0; i < (KEYS_PER_SECOND * TICK_MS) / 1_000; i++) {
      const text = makeGet(nextSecret(), "close");
      void exchange({ port, text, after: null, attack: "unknown-keys", signal });
    }
    await pause(TICK_MS, signal);
  }
}

/** Keeps connections open that send nothing after `text`. */
async function holdConnections(port: number, signal: AbortSignal, text: string): Promise<void> {
  const sockets = new Set<Socket>();
  while (!signal.aborted) {
    const missing = Math.min(CONNECTIONS_AT_ONCE, IDLE_CONNECTIONS - sockets.size);
    for (let i = 0; i < missing; i++) {
      const socket = open(port).resume();
      if (text !== "") socket.write(text);
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    }
    await pause(TICK_MS, signal);
  }
  report["connections open"] = sockets.size;
  for (const socket of sockets) endNow(socket);
}

/** A reset leaves no port in use for a minute, as the end of a connection does. */
function endNow(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

function open(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress: ADDRESS });
  return socket.on("error", () => undefined);
}

function count(attack: Attack, status: string): void {
  const name = `${attack} ${status}`;
  report[name] = (report[name] ?? 0) + 1;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
