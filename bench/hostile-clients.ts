import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { makeSecret } from "../server/src/domain/key-format.ts";
import { systemRandomBytes } from "../server/src/lib/ids.ts";

// Clients of one hostile tenant, as a separate process. Each attack runs until the message `stop`. The process then reports
// the number of responses by attack and status.

export type Attack = "bodies" | "connections" | "exports" | "unknown-keys";

export interface HostileClients {
  port: number;
  attacks: readonly Attack[];
  /** Key of a workspace. */
  apiKey: string;
  adminKey: string;
}

export type HostileReport = Record<string, number>;

/** The other clients use 127.0.0.1. */
const ADDRESS = "127.0.0.2";
const BODIES = 32;
const BODY_BYTES = 32 * 1024 * 1024;
const SENT_BYTES = BODY_BYTES - 1_024;
const IDLE_CONNECTIONS = 10_000;
const CONNECTIONS_AT_ONCE = 200;
const EXPORTS = 16;
const KEYS_PER_SECOND = 600;
const TICK_MS = 100;
const RETRY_MS = 1_000;

let stopping = new AbortController();
let report: HostileReport = {};
let running: Promise<unknown> = Promise.resolve();

process.on("disconnect", () => process.exit(0));
process.on("message", (message: HostileClients | { stop: true }) => {
  if ("attacks" in message) {
    stopping = new AbortController();
    stopping.signal.addEventListener("abort", () => undefined);
    report = {};
    running = Promise.all(message.attacks.map((attack) => runAttack(attack, message)));
    return;
  }
  stopping.abort();
  void running.then(() => process.send?.(report));
});

async function runAttack(
  attack: Attack,
  { port, apiKey, adminKey }: HostileClients,
): Promise<void> {
  const { signal } = stopping;
  const repeat = async (count: number, text: string, after: Buffer | null = null) => {
    const runOne = async () => {
      while (!signal.aborted) {
        await exchange({ port, text, after, attack, signal });
        await pause(RETRY_MS, signal);
      }
    };
    await Promise.all(Array.from({ length: count }, runOne));
  };
  switch (attack) {
    case "bodies": {
      const head = `POST /v1/messages/count_tokens HTTP/1.1\r\nhost: a\r\nx-api-key: ${apiKey}\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`;
      return repeat(BODIES, head, Buffer.alloc(SENT_BYTES, " "));
    }
    case "exports":
      return repeat(
        EXPORTS,
        `GET /v1/admin/requests/export?format=csv HTTP/1.1\r\nhost: a\r\nx-api-key: ${adminKey}\r\nconnection: close\r\n\r\n`,
      );
    case "connections":
      return holdConnections(port, signal);
    case "unknown-keys":
      while (!signal.aborted) {
        for (let i = 0; i < (KEYS_PER_SECOND * TICK_MS) / 1_000; i++) {
          const { secret } = makeSecret("api", systemRandomBytes);
          const text = `GET /v1/models HTTP/1.1\r\nhost: a\r\nx-api-key: ${secret}\r\nconnection: close\r\n\r\n`;
          void exchange({ port, text, after: null, attack, signal });
        }
        await pause(TICK_MS, signal);
      }
  }
}

/** Sends bytes and reads until the server closes the connection or the attack ends. */
function exchange({
  port,
  text,
  after,
  attack,
  signal,
}: {
  port: number;
  text: string;
  after: Buffer | null;
  attack: Attack;
  signal: AbortSignal;
}): Promise<void> {
  return new Promise((resolve) => {
    const socket = open(port);
    let isAnswered = false;
    const stop = () => void socket.destroy();
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

/** Keeps connections open that send nothing. */
async function holdConnections(port: number, signal: AbortSignal): Promise<void> {
  const sockets = new Set<Socket>();
  while (!signal.aborted) {
    const missing = Math.min(CONNECTIONS_AT_ONCE, IDLE_CONNECTIONS - sockets.size);
    for (let i = 0; i < missing; i++) {
      const socket = open(port).resume();
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    }
    await pause(TICK_MS, signal);
  }
  report["connections open"] = sockets.size;
  for (const socket of sockets) socket.destroy();
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
