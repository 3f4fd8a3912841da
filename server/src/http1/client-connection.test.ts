import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FieldLines } from "#src/lib/field-lines.ts";
import { joinOwned, releaseMemory } from "#src/lib/release-memory.ts";
import {
  type ConnectionServer,
  connectRawClient,
  type Handler,
  type RawClient,
  startConnectionServer,
} from "#test/harness/connection-server.ts";
import type { ClientCall } from "./client-call.ts";

let closing: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const close of closing.reverse()) close();
  closing = [];
});

/** Starts a server that ends with the test. */
async function startServer(handle: Handler, reader: "sockets" | "node"): Promise<ConnectionServer> {
  const server = await startConnectionServer(handle, reader);
  closing.push(server.close);
  return server;
}

function connectTo({ port }: ConnectionServer): RawClient {
  const client = connectRawClient(port);
  closing.push(() => client.socket.destroy());
  return client;
}

/** Returns target and body of a request. */
const echo: Handler = (call) => {
  const respond = (body: Buffer) => {
    const text = `${call.target} ${createHash("sha256").update(body).digest("hex")};`;
    call.writeHead(200, FieldLines.fromList(["content-length", String(text.length)]));
    call.end(text);
  };
  const whole = call.takeBody();
  if (whole !== null) return respond(whole);
  const chunks: Buffer[] = [];
  call.readBody({
    onData: (chunk) => void chunks.push(chunk),
    onEnd: () => respond(Buffer.concat(chunks)),
    onGone: () => undefined,
  });
};

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const get = (target: string, headers = "") => `GET ${target} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`;
const post = (target: string, body: string) =>
  `POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const postChunked = (target: string, ...chunks: string[]) =>
  `POST ${target} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n` +
  `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")}0\r\n\r\n`;

test("keeps the next request when the reader of a body frees its memory", async () => {
  const bodies: string[] = [];
  const server = await startServer((call) => {
    const respond = (body: Buffer) => {
      bodies.push(sha256(body.toString()));
      releaseMemory(body);
      call.writeHead(200, FieldLines.fromList(["content-length", "0"]));
      call.end();
    };
    const whole = call.takeBody();
    if (whole !== null) return respond(whole);
    const chunks: Buffer[] = [];
    call.readBody({
      onData: (chunk) => void chunks.push(chunk),
      onEnd: () => respond(joinOwned(chunks)),
      onGone: () => undefined,
    });
  }, "sockets");
  const sent = [30_000, 50_000, 300_000, 40_000].map((length, n) => String(n).repeat(length));
  const client = connectTo(server);
  client.socket.write(
    sent.map((body, n) => (n === 1 ? postChunked("/v1/x", body) : post("/v1/x", body))).join(""),
  );
  await expect.poll(() => bodies, { timeout: 5_000, interval: 5 }).toEqual(sent.map(sha256));
});

describe("the bytes of a response are those of node:http", () => {
  const responses: Record<string, { request?: string; respond: Handler }> = {
    "with a length": {
      respond(call) {
        call.writeHead(
          200,
          FieldLines.fromList(["content-type", "application/json", "content-length", "2"]),
        );
        call.write(Buffer.from("{}"));
        call.end();
      },
    },
    "in one chunk": {
      respond(call) {
        call.writeHead(
          201,
          FieldLines.fromList(["content-type", "text/plain", "x-latin", "\u00fc"]),
        );
        call.end("hello");
      },
    },
    "without a body": {
      respond(call) {
        call.writeHead(204, FieldLines.fromList(["request-id", "1"]));
        call.end();
      },
    },
    "to HEAD": {
      request: "HEAD /v1/x HTTP/1.1\r\nhost: x\r\n\r\n",
      respond(call) {
        call.writeHead(404, FieldLines.fromList(["content-length", "20"]));
        call.end();
      },
    },
    "with a date of the upstream": {
      respond(call) {
        call.writeHead(
          200,
          FieldLines.fromList(["date", "Sun, 06 Nov 1994 08:49:37 GMT", "content-length", "0"]),
        );
        call.end();
      },
    },
    "to a client that closes": {
      request: get("/v1/x", "connection: close\r\n"),
      respond(call) {
        call.writeHead(200, FieldLines.fromList([]));
        call.end("bye");
      },
    },
    "before the connection closes": {
      respond(call) {
        call.closeAfterwards();
        call.writeHead(599, FieldLines.fromList(["content-length", "0"]));
        call.end();
      },
    },
  };

  async function readResponse(respond: Handler, request: string, reader: "sockets" | "node") {
    const server = await startServer(respond, reader);
    const client = connectTo(server);
    client.socket.write(request);
    await client.until("\r\n\r\n");
    client.socket.end();
    await client.ended;
    expect(server.handedOver).toEqual([]);
    return client.text().replace(/Date: .*\r\n/, "Date: now\r\n");
  }

  test.for(Object.entries(responses))("%s", async ([, { request = get("/v1/x"), respond }]) => {
    const own = await readResponse(respond, request, "sockets");
    expect(own).toMatch(/\r\n\r\n/);
    expect(own).toBe(await readResponse(respond, request, "node"));
  });
});

describe("requests", () => {
  test("are read the same from bytes that are split anywhere", async () => {
    const server = await startServer(echo, "sockets");
    const requests = [
      post("/v1/a", "first body"),
      postChunked("/v1/b", "chunk", "of a body"),
      get("/v1/c"),
      post("/v1/d", "last"),
    ].join("");
    const bodies = ["first body", "chunkof a body", "", "last"];
    const targets = ["/v1/a", "/v1/b", "/v1/c", "/v1/d"];
    for (let split = 1; split < requests.length; split += 3) {
      const client = connectTo(server);
      client.socket.write(requests.slice(0, split));
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.write(requests.slice(split));
      await client.until("/v1/d ");
      const answers = [...client.text().matchAll(/(\/v1\/\w) (\w+);/g)].map(
        ([, ...found]) => found,
      );
      expect(answers).toEqual(targets.map((target, i) => [target, sha256(bodies[i] ?? "")]));
      client.socket.destroy();
    }
    expect(server.handedOver).toEqual([]);
  });

  test("with a head in many pieces are served by node:http", async () => {
    const server = await startServer(echo, "sockets");
    const client = connectTo(server);
    for (const byte of post("/other", "body")) {
      client.socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until(sha256("body"));
    expect(server.handedOver).toEqual(["/other"]);
  });

  test("continue on node:http with their unread bytes, large bodies and requests behind them", async () => {
    const server = await startServer(echo, "sockets");
    const client = connectTo(server);
    const large = "0123456789".repeat(500_000);
    const text =
      post("/v1/first", "a") + post("/large", large) + get("/other") + post("/v1/again", large);
    client.socket.write(text);
    await client.until(`/v1/again ${sha256(large)}`);
    expect(client.text()).toMatch(
      new RegExp(`/v1/first [\\s\\S]*${sha256(large)}[\\s\\S]*${sha256("")}[\\s\\S]*/v1/again `),
    );
    expect(server.handedOver).toEqual(["/large", "/other"]);
  });

  test("behind a running one are not read beyond a bound", async () => {
    const calls: ClientCall[] = [];
    const server = await startServer((call) => void calls.push(call), "sockets");
    const client = connectTo(server);
    client.socket.write(get("/v1/x"));
    await expect.poll(() => calls.length).toBe(1);
    client.socket.write(get("/v1/y", `x-long: ${"a".repeat(1_000)}\r\n`).repeat(20_000));
    await expect.poll(() => server.sockets[0]?.isPaused()).toBe(true);
    expect(server.sockets[0]?.bytesRead).toBeLessThan(1_000_000);
    expect(calls).toHaveLength(1);
  });
});

/** Requests that one of both servers reads, valid for both. */
const anyRequest = fc
  .record({
    target: fc.constantFrom("/v1/a", "/v1/b?c=d", "/other"),
    framing: fc.constantFrom("length", "chunked", "none", "expect"),
    body: fc.string({ unit: "binary-ascii", maxLength: 300 }),
    headers: fc.constantFrom(
      "",
      "X-Some:  value \r\n",
      "accept: a\r\nAccept: b\r\n",
      "cookie:\r\n",
    ),
  })
  .map(({ target, framing, body, headers }) => {
    const length = `content-length: ${body.length}\r\n`;
    const start = `POST ${target} HTTP/1.1\r\nHost: x\r\n${headers}`;
    if (framing === "none") return get(target, headers);
    if (framing === "length") return `${start}${length}\r\n${body}`;
    if (framing === "expect") return `${start}${length}expect: 100-continue\r\n\r\n${body}`;
    const chunks = [body.slice(0, 7), body.slice(7)].filter((chunk) => chunk !== "");
    return postChunked(target, ...chunks).replace("host: x\r\n", `host: x\r\n${headers}`);
  });

test("any requests in any pieces get the same bytes from sockets and from node:http", async () => {
  const servers = await Promise.all([startServer(echo, "sockets"), startServer(echo, "node")]);
  const last = get("/v1/last", "connection: close\r\n");
  const exchange = async (server: ConnectionServer, text: string, cuts: readonly number[]) => {
    const client = connectTo(server);
    const positions = cuts.map((cut) => Math.floor(cut * text.length)).sort((a, b) => a - b);
    for (const [i, end] of [...positions, text.length].entries()) {
      client.socket.write(Buffer.from(text.slice(positions[i - 1] ?? 0, end), "latin1"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.ended;
    return client.text().replace(/Date: .*\r\n/g, "");
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRequest, { maxLength: 5 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
      async (requests, cuts) => {
        const text = requests.join("") + last;
        const [own, node] = await Promise.all(servers.map((one) => exchange(one, text, cuts)));
        expect(own).toBe(node);
        expect(own).toContain("/v1/last");
      },
    ),
    { numRuns: 200 },
  );
});

describe("a client", () => {
  async function startRunning(request: string) {
    const calls: ClientCall[] = [];
    const closes: boolean[] = [];
    const server = await startServer((call) => {
      calls.push(call);
      call.onClose = (isWhole) => void closes.push(isWhole);
    }, "sockets");
    const client = connectTo(server);
    client.socket.write(request);
    await expect.poll(() => calls.length).toBe(1);
    const [call] = calls;
    if (!call) throw new Error("no call");
    return { server, client, call, closes };
  }

  test.for(["end", "resetAndDestroy"] as const)("that leaves by %s is noticed", async (leave) => {
    const { client, call, closes } = await startRunning(get("/v1/x"));
    client.socket[leave]();
    await expect.poll(() => closes).toEqual([false]);
    expect(call.isGone).toBe(true);
  });

  test("that leaves in the middle of its body gets a 400", async () => {
    const { client, call, closes } = await startRunning(post("/v1/x", "body").slice(0, -1));
    const onGone = vi.fn<() => void>();
    call.readBody({ onData: () => undefined, onEnd: () => undefined, onGone });
    client.socket.end();
    await client.ended;
    expect(client.text()).toContain("HPE_INVALID_EOF_STATE");
    await expect.poll(() => closes).toEqual([false]);
    expect(onGone).toHaveBeenCalledOnce();
  });

  test("with an invalid chunk gets a 400, and its request ends", async () => {
    const { client, call, closes } = await startRunning(postChunked("/v1/x", "ab").slice(0, -5));
    client.socket.write("no chunk\r\n");
    await client.ended;
    expect(client.text()).toContain("HPE_INVALID_CHUNK_SIZE");
    await expect.poll(() => closes).toEqual([false]);
    expect(call.isGone).toBe(true);
  });

  test("with an invalid chunk after the start of its response is disconnected", async () => {
    const { client, call } = await startRunning(postChunked("/v1/x", "ab").slice(0, -5));
    call.writeHead(200, FieldLines.fromList([]));
    call.write(Buffer.from("begin"));
    await client.until("begin");
    client.socket.write("no chunk\r\n");
    await client.ended;
    expect(client.text()).not.toContain("HPE_INVALID_CHUNK_SIZE");
  });

  test("gets the bytes that were written before a response was broken off", async () => {
    const { client, call, closes } = await startRunning(get("/v1/x"));
    call.writeHead(200, FieldLines.fromList([]));
    call.write(Buffer.from("begin"));
    call.destroy();
    expect(call.isGone).toBe(true);
    await client.ended;
    expect(client.text()).toMatch(/\r\n\r\n5\r\nbegin\r\n$/);
    expect(closes).toEqual([false]);
  });

  test("gets framed bytes as they are, and others in one chunk a turn", async () => {
    const { client, call } = await startRunning(get("/v1/x"));
    call.writeHead(200, FieldLines.fromList([]));
    call.write(Buffer.from("a"));
    call.write(Buffer.from("bc"));
    call.write(Buffer.from("defg"), Buffer.from("2\r\nde\r\n2\r\nfg\r\n"));
    call.write(Buffer.from("h"));
    call.end();
    await client.until("0\r\n\r\n");
    expect(client.text().split("\r\n\r\n").slice(1).join("\r\n\r\n")).toBe(
      "3\r\nabc\r\n2\r\nde\r\n2\r\nfg\r\n1\r\nh\r\n0\r\n\r\n",
    );
  });

  test("gets bytes after the records of their turn, in one write", async () => {
    const { server, client, call } = await startRunning(get("/v1/x"));
    const [socket] = server.sockets;
    if (!socket) throw new Error("no socket");
    const write = vi.spyOn(socket, "write");
    call.writeHead(200, FieldLines.fromList(["content-length", "4"]));
    call.write(Buffer.from("te"));
    call.write(Buffer.from("xt"));
    call.end();
    const writesBeforeRecords = await new Promise((resolve) =>
      server.turnEnd.add("journal", () => resolve(write.mock.calls.length)),
    );
    await client.until("text");
    expect([writesBeforeRecords, write.mock.calls.length]).toEqual([0, 1]);
  });

  test("that does not read is reported to the writer, and disconnected after the end", async () => {
    const { client, call, closes } = await startRunning(get("/v1/x"));
    client.socket.pause();
    call.writeHead(200, FieldLines.fromList([]));
    const onDrain = vi.fn<() => void>();
    call.onDrain = onDrain;
    const chunk = Buffer.alloc(64 * 1024);
    for (let isFull = false; !isFull; ) {
      onDrain.mockClear();
      isFull = !call.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
      if (onDrain.mock.calls.length > 0) isFull = false;
    }
    client.socket.resume();
    await expect.poll(() => onDrain.mock.calls.length).toBe(1);
    client.socket.pause();
    for (let i = 0; i < 1_000; i++) call.write(chunk);
    call.end(undefined, 100);
    await expect.poll(() => closes).toEqual([false]);
  });
});

describe("time limits", () => {
  const MINUTE_MS = 60_000;
  function fakeTimers() {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  }

  test("a client that sends nothing, or half a head, gets a 408", async () => {
    fakeTimers();
    const server = await startServer(echo, "sockets");
    const clients = [connectTo(server), connectTo(server)];
    clients[1]?.socket.write("GET /v1/x HT");
    await expect.poll(() => server.sockets.map(({ bytesRead }) => bytesRead)).toEqual([0, 12]);
    vi.advanceTimersByTime(MINUTE_MS - 1);
    expect(server.sockets.map(({ writable }) => writable)).toEqual([true, true]);
    vi.advanceTimersByTime(10_000);
    for (const client of clients) {
      await client.ended;
      expect(client.text()).toContain("ERR_HTTP_REQUEST_TIMEOUT");
    }
  });

  test("are checked by a timer that runs only while connections are open", async () => {
    fakeTimers();
    const server = await startServer(echo, "sockets");
    expect(vi.getTimerCount()).toBe(0);
    for (let turn = 0; turn < 2; turn++) {
      const client = connectTo(server);
      await expect.poll(() => vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(MINUTE_MS + 10_000);
      await client.ended;
      vi.advanceTimersByTime(10_000);
      await expect.poll(() => vi.getTimerCount()).toBe(0);
    }
  });

  test("an idle connection is closed after its announced time, and a running request is not", async () => {
    fakeTimers();
    const calls: ClientCall[] = [];
    const server = await startServer((call) => {
      calls.push(call);
      if (call.target === "/v1/idle") echo(call);
    }, "sockets");
    const [idle, running] = [connectTo(server), connectTo(server)];
    idle.socket.write(get("/v1/idle"));
    running.socket.write(get("/v1/running"));
    await idle.until("Keep-Alive: timeout=75");
    await expect.poll(() => calls.length).toBe(2);
    vi.advanceTimersByTime(75_000);
    expect(idle.socket.destroyed).toBe(false);
    vi.advanceTimersByTime(10_000);
    await idle.ended;
    vi.advanceTimersByTime(10 * MINUTE_MS);
    for (const call of calls) if (call.target === "/v1/running") echo(call);
    await running.until("/v1/running ");
  });

  test("the rest of an answered body is dropped, for a bounded time", async () => {
    fakeTimers();
    const respond: Handler = (call) => {
      call.writeHead(200, FieldLines.fromList(["content-length", "0"]));
      call.end();
    };
    const server = await startServer(respond, "sockets");
    const [slow, quick] = [connectTo(server), connectTo(server)];
    for (const { socket } of [slow, quick]) socket.write(post("/v1/x", "body").slice(0, -2));
    await Promise.all([slow, quick].map((client) => client.until("200 OK")));
    quick.socket.write(`dy${get("/v1/y")}`);
    await expect.poll(() => quick.text().match(/200 OK/g)?.length).toBe(2);
    vi.advanceTimersByTime(MINUTE_MS + 10_000);
    await slow.ended;
  });
});
