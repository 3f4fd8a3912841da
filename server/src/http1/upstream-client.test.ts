import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "#src/lib/clock.ts";
import type { HttpClient } from "#src/lib/http-client.ts";
import { makeTurnEnd, type TurnEnd } from "#src/lib/turn-end.ts";
import {
  listenTcp,
  rawResponse,
  recordCall,
  startRawUpstream,
} from "#test/harness/raw-upstream.ts";
import { makeSocketClient, type SocketClientOptions } from "./upstream-client.ts";

// Behaviour of this client alone. Tests of upstreams/make-client.ts compare it with undici.

function open(origin: string, options: Partial<SocketClientOptions> = {}): HttpClient {
  const client = makeSocketClient({
    address: { origin },
    connectTimeoutMs: 10_000,
    maxOpening: null,
    idleTimeoutMs: 20_000,
    keepAliveMs: 30_000,
    keepAliveMaxMs: 60_000,
    turnEnd: makeTurnEnd(),
    nowMs: systemClock.monotonicMs,
    ...options,
  });
  onTestFinished(() => client.destroy());
  return client;
}

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

test("sends the requests of one turn at its end, and each one in a single write", async () => {
  const upstream = await startRawUpstream(({ socket, body }) =>
    socket.write(rawResponse(body.toString())),
  );
  const planned: (() => void)[] = [];
  const turnEnd: TurnEnd = { add: (phase, work) => phase === "sockets" && planned.push(work) };
  const client = open(upstream.origin, { turnEnd });
  const records = [1, 2, 3].map((n) => recordCall(client, { body: Buffer.from(`request ${n}`) }));
  expect(planned).toHaveLength(1);
  await wait(20);
  expect(upstream.sockets).toHaveLength(0);
  planned.shift()?.();
  const bodies = (await Promise.all(records)).map(({ body }) => body);
  expect(bodies).toEqual(["request 1", "request 2", "request 3"]);
  expect(upstream.sockets.map(({ bytesRead }) => bytesRead > 0)).toEqual([true, true, true]);
});

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

test.each([20_000, 60_000, 200_000, 900_000])(
  "frees an owned body of %i bytes after it is sent unchanged",
  async (length) => {
    const upstream = await startRawUpstream(({ socket, body }) =>
      socket.write(rawResponse(sha256(body))),
    );
    const client = open(upstream.origin);
    const owned = Buffer.alloc(length, "owned");
    const shared = Buffer.alloc(length, "shared");
    const hashes = [sha256(owned), sha256(shared)];
    const records = await Promise.all([
      recordCall(client, { body: owned, ownsBody: true }),
      recordCall(client, { body: shared }),
    ]);
    expect(records.map(({ body, isSent }) => [body, isSent])).toEqual(hashes.map((h) => [h, true]));
    expect([owned.length, shared.length]).toEqual([0, length]);
  },
);

test.each([60_000, 3_000_000])(
  "keeps the memory of an owned body of %i bytes while an upstream does not read",
  async (length) => {
    const upstream = await startRawUpstream(({ socket, body }) =>
      socket.write(rawResponse(sha256(body))),
    );
    const client = open(upstream.origin);
    upstream.server.on("connection", (socket: Socket) => {
      socket.pause();
      setTimeout(() => socket.resume(), 50);
    });
    const bodies = Array.from({ length: 5 }, (_, n) => Buffer.alloc(length + n, `body ${n}`));
    const hashes = bodies.map(sha256);
    const records = await Promise.all(
      bodies.map((body) => recordCall(client, { body, ownsBody: true })),
    );
    expect(records.map(({ body }) => body)).toEqual(hashes);
  },
);

test("uses no connection that became idle in the same turn, because its end may be unread", async () => {
  const upstream = await startRawUpstream(({ socket }) => socket.write(rawResponse("hello")));
  const planned: (() => void)[] = [];
  const client = open(upstream.origin, { turnEnd: { add: (_, work) => planned.push(work) } });
  const first = recordCall(client);
  planned.shift()?.();
  await first;
  // The turn in which the response arrived has not ended yet.
  const second = recordCall(client);
  expect(planned).toHaveLength(1);
  planned.shift()?.();
  await second;
  expect(upstream.sockets).toHaveLength(2);
  planned.shift()?.();
  const third = recordCall(client);
  planned.shift()?.();
  await third;
  expect(upstream.sockets).toHaveLength(2);
});

test("uses no connection after its time, although no timer ran since", async () => {
  const upstream = await startRawUpstream(({ socket }) => socket.write(rawResponse("hello")));
  let nowMs = 0;
  const client = open(upstream.origin, { nowMs: () => nowMs });
  await recordCall(client);
  nowMs = 29_999;
  await recordCall(client);
  expect(upstream.sockets).toHaveLength(1);
  nowMs = 60_000;
  await recordCall(client);
  expect(upstream.sockets).toHaveLength(2);
});

test("closes unused connections", async () => {
  const upstream = await startRawUpstream(({ socket }) => socket.write(rawResponse("hello")));
  const client = open(upstream.origin, { keepAliveMs: 50, idleTimeoutMs: 200 });
  await recordCall(client);
  await expect.poll(() => upstream.sockets[0]?.destroyed).toBe(true);
});

test("ends a call with more than a hundred informational responses", async () => {
  const upstream = await startRawUpstream(({ socket }) =>
    socket.write(`${"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(101)}${rawResponse("hello")}`),
  );
  const record = await recordCall(open(upstream.origin));
  expect(record).toMatchObject({ errors: ["HPE_INVALID_RESPONSE"], ends: 0 });
});

test("informational responses do not extend the time for the head", async () => {
  const upstream = await startRawUpstream(({ socket }) => {
    const timer = setInterval(() => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n"), 20);
    socket.on("close", () => clearInterval(timer));
  });
  const record = await recordCall(open(upstream.origin, { idleTimeoutMs: 300 }));
  expect(record).toMatchObject({ errors: ["UND_ERR_HEADERS_TIMEOUT"], ends: 0 });
});

test("a reset ends a body without a length, because it may be incomplete", async () => {
  const upstream = await startRawUpstream(async ({ socket }) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\nhello");
    await wait(20);
    socket.resetAndDestroy();
  });
  const record = await recordCall(open(upstream.origin));
  expect(record).toMatchObject({ body: "hello", errors: ["ECONNRESET"], ends: 0 });
});

test("reports a handshake that does not end in time, without a start", async () => {
  const port = await listenTcp(() => undefined);
  const client = open(`https://localhost:${port}`, { connectTimeoutMs: 100 });
  const record = await recordCall(client);
  expect(record).toMatchObject({ starts: 0, errors: ["UND_ERR_CONNECT_TIMEOUT"] });
});

test("ends connections being opened when it is destroyed", async () => {
  const port = await listenTcp(() => undefined);
  const client = open(`https://localhost:${port}`, { maxOpening: 1 });
  const records = [recordCall(client), recordCall(client)];
  await wait(20);
  await client.destroy();
  for (const record of await Promise.all(records)) {
    expect(record).toMatchObject({ starts: 0, errors: ["UND_ERR_DESTROYED"] });
  }
});

describe("a large body", () => {
  const body = Buffer.alloc(16 * 1024 * 1024);
  /** The upstream pauses after each window. */
  const WINDOW_BYTES = 2 * 1024 * 1024;

  test("is not sent further after an early response, and its connection closes", async () => {
    let isClosed = false;
    const port = await listenTcp((socket) => {
      socket.on("close", () => {
        isClosed = true;
      });
      socket.once("data", () => {
        socket.pause();
        socket.write(rawResponse("too large"));
        // A socket that does not read would not notice the end of the connection.
        setTimeout(() => socket.resume(), 100);
      });
    });
    const owned = Buffer.alloc(body.length);
    const client = open(`http://127.0.0.1:${port}`);
    const record = await recordCall(client, { body: owned, ownsBody: true });
    expect(record).toMatchObject({ body: "too large", ends: 1, isSent: false });
    // The socket may still need the memory.
    expect(owned.length).toBe(body.length);
    await expect.poll(() => isClosed).toBe(true);
  });

  test("has no time limit as a whole, but for each piece that the upstream does not read", async () => {
    // The limit is ten ticks of this timer. Each 2 MB that the upstream has read take two of them.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const port = await listenTcp((socket) => {
      let bytes = 0;
      let pauses = 0;
      socket.on("data", (chunk: Buffer) => {
        const before = bytes;
        bytes += chunk.length;
        if (bytes > body.length && before <= body.length) socket.write(rawResponse("hello"));
        if (bytes < (pauses + 1) * WINDOW_BYTES) return;
        pauses++;
        socket.pause();
        setTimeout(() => {
          vi.advanceTimersByTime(120);
          socket.resume();
        }, 5);
      });
    });
    const client = open(`http://127.0.0.1:${port}`, { idleTimeoutMs: 600 });
    expect(await recordCall(client, { body })).toMatchObject({ body: "hello", isSent: true });

    vi.useRealTimers();
    const silent = await listenTcp((socket) => socket.pause());
    const stalled = open(`http://127.0.0.1:${silent}`, { idleTimeoutMs: 600 });
    const record = await recordCall(stalled, { body });
    expect(record).toMatchObject({ errors: ["UND_ERR_HEADERS_TIMEOUT"], isSent: false });
  });
});

test("answers the requests of many connections that read at once through one buffer", async () => {
  const text = "0123456789".repeat(20_000);
  const upstream = await startRawUpstream(({ socket, body }) => {
    socket.write(rawResponse(`${body}${text}`));
  });
  const client = open(upstream.origin);
  const bodies = Array.from({ length: 100 }, (_, n) => `request ${n} `);
  const records = await Promise.all(
    bodies.map((body) => recordCall(client, { body: Buffer.from(body) })),
  );
  expect(records.map(({ body }) => body)).toEqual(bodies.map((body) => body + text));
});
