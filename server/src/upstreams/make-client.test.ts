import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import type { HttpClient } from "#src/lib/http-client.ts";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import {
  type CallRecord,
  listenRaw,
  type RawUpstream,
  rawResponse,
  recordCall,
  type Script,
  startRawUpstream,
} from "#test/harness/raw-upstream.ts";
import {
  LOCAL_CERTIFICATE,
  LOCAL_CERTIFICATE_KEY,
  TEST_CERTIFICATE,
  TEST_CERTIFICATE_KEY,
} from "#test/harness/test-certificate.ts";
import { type ClientOptions, makeClient } from "./make-client.ts";

// Both clients meet the same upstreams, with the same expectations.

const turnEnd = makeTurnEnd();
const clients = [
  ["undici", null],
  ["sockets", turnEnd],
] as const;

let closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

function open(origin: string, options: Partial<ClientOptions> = {}): HttpClient {
  const client = makeClient({ origin }, { idleTimeoutMs: 20_000, turnEnd: null, ...options });
  closing.push(() => client.destroy());
  return client;
}

async function listen(script: Script): Promise<RawUpstream> {
  const upstream = await startRawUpstream(script);
  closing.push(() => upstream.close());
  return upstream;
}

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Checks the rules of every call: one start at most, and exactly one end. */
function checkRules(record: CallRecord, upstream: RawUpstream): void {
  expect(record.starts).toBeLessThanOrEqual(1);
  expect(record.ends + record.errors.length).toBe(1);
  expect(upstream.received.length).toBeLessThanOrEqual(1);
}

const chunked = (...parts: string[]) =>
  `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("")}`;

/** Bytes of the upstream, whether FIN follows, and the outcome. */
interface Answer {
  bytes: string;
  ending?: "FIN" | "RST";
  status?: number;
  body?: string;
  isWhole: boolean;
}

const answers: Record<string, Answer> = {
  "a body with a length": { bytes: rawResponse("hello"), body: "hello", isWhole: true },
  "an empty body": { bytes: rawResponse(""), body: "", isWhole: true },
  "a chunked body": { bytes: `${chunked("hel", "lo")}0\r\n\r\n`, body: "hello", isWhole: true },
  "chunk extensions and trailers": {
    bytes:
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a="b"\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n',
    body: "hello",
    isWhole: true,
  },
  "a body until the end of the connection": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nhello",
    ending: "FIN",
    body: "hello",
    isWhole: true,
  },
  "a 204 without a body": { bytes: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, isWhole: true },
  "fifty informational responses": {
    bytes: `${"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(50)}${rawResponse("hello")}`,
    body: "hello",
    isWhole: true,
  },
  "two responses": {
    bytes: rawResponse("first") + rawResponse("second"),
    body: "first",
    isWhole: true,
  },
  "more bytes than declared": {
    bytes: `${rawResponse("hello")}world`,
    body: "hello",
    isWhole: true,
  },
  "no response, and FIN": { bytes: "", ending: "FIN", isWhole: false },
  "no response, and RST": { bytes: "", ending: "RST", isWhole: false },
  "a part of the head, and FIN": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-",
    ending: "FIN",
    isWhole: false,
  },
  "a part of the head, and RST": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-",
    ending: "RST",
    isWhole: false,
  },
  "a part of a body with a length, and FIN": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello",
    ending: "FIN",
    body: "hello",
    isWhole: false,
  },
  "a part of a body with a length that closes, and FIN": {
    bytes: "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 50\r\n\r\nhello",
    ending: "FIN",
    body: "hello",
    isWhole: false,
  },
  "a part of a chunk, and FIN": {
    bytes: `${chunked("hello")}30\r\nwor`,
    ending: "FIN",
    body: "hellowor",
    isWhole: false,
  },
  "chunks without the last one, and FIN": {
    bytes: chunked("hello"),
    ending: "FIN",
    body: "hello",
    isWhole: false,
  },
  "a wrong size of a chunk": {
    bytes: `${chunked("hello")}xyz\r\n`,
    body: "hello",
    isWhole: false,
  },
  "a chunk that is longer than its size": {
    bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    body: "hel",
    isWhole: false,
  },
  "bytes of another protocol": { bytes: "SSH-2.0-OpenSSH_9.9\r\n", isWhole: false },
  "an endless line": { bytes: `HTTP/1.1 200 OK\r\nx: ${"y".repeat(40_000)}`, isWhole: false },
  "a head that is too large": {
    bytes: `HTTP/1.1 200 OK\r\n${`x: ${"y".repeat(1_000)}\r\n`.repeat(40)}\r\n`,
    isWhole: false,
  },
  "a length beside a transfer coding": {
    bytes:
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    isWhole: false,
  },
  "two different lengths": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
    isWhole: false,
  },
  "a 100 that was not requested": {
    bytes: `HTTP/1.1 100 Continue\r\n\r\n${rawResponse("hello")}`,
    isWhole: false,
  },
  "an upgrade that was not requested": {
    bytes: "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    isWhole: false,
  },
};

describe.each(clients)("the client over %s", (_, mode) => {
  describe.each(Object.entries(answers))(
    "reads %s",
    (_, { bytes, ending, status, body, isWhole }) => {
      test.each(["at once", "in pieces of few bytes"])("%s", async (split) => {
        const upstream = await listen(async ({ socket }) => {
          const size = split === "at once" ? bytes.length : Math.ceil(bytes.length / 300) + 2;
          for (let at = 0; at < bytes.length; at += size) {
            socket.write(bytes.slice(at, at + size), "latin1");
            if (split !== "at once") await new Promise(setImmediate);
          }
          if (ending === "FIN") socket.end();
          if (ending === "RST") {
            await wait(10);
            socket.resetAndDestroy();
          }
        });
        const record = await recordCall(open(upstream.origin, { turnEnd: mode }));
        checkRules(record, upstream);
        expect(record.starts).toBe(1);
        expect(record.ends).toBe(isWhole ? 1 : 0);
        if (isWhole || body !== undefined) {
          expect(record.statuses.at(-1)).toBe(status ?? 200);
          expect(record.body).toBe(body ?? "");
        }
      });
    },
  );

  test("reads a response to HEAD, whose length is not that of a body", async () => {
    const upstream = await listen(({ socket }) =>
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"),
    );
    const client = open(upstream.origin, { turnEnd: mode });
    const record = await recordCall(client, { method: "HEAD", body: null });
    expect(record).toMatchObject({ statuses: [200], body: "", ends: 1 });
  });

  test("passes repeated headers on one by one", async () => {
    const upstream = await listen(({ socket }) =>
      socket.write(rawResponse("", ["X-A: 1", "x-b: 2", "x-a:  3", "x-c:"])),
    );
    const record = await recordCall(open(upstream.origin, { turnEnd: mode }));
    expect(record.headers).toMatchObject({ "x-a": ["1", "3"], "x-b": "2", "x-c": "" });
  });

  test("reports silence before the head and within the body, and no slow response", async () => {
    const idleTimeoutMs = 500;
    const upstream = await listen(async ({ socket, body }) => {
      if (body.includes("silent head")) return;
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nh");
      if (body.includes("silent body")) return;
      for (const letter of "ello all") {
        await wait(250);
        socket.write(letter);
      }
    });
    const client = open(upstream.origin, { turnEnd: mode, idleTimeoutMs });
    const call = (text: string) => recordCall(client, { body: Buffer.from(text) });
    const records = await Promise.all([call("silent head"), call("silent body"), call("slow")]);
    expect(records.map(({ errors, body }) => [errors, body])).toEqual([
      [["UND_ERR_HEADERS_TIMEOUT"], ""],
      [["UND_ERR_BODY_TIMEOUT"], "h"],
      [[], "hello al"],
    ]);
    expect(upstream.received).toHaveLength(3);
  });

  test("waits for the head as long as the request says", async () => {
    const upstream = await listen(async ({ socket }) => {
      await wait(1_500);
      socket.write(rawResponse("late"));
    });
    const client = open(upstream.origin, { turnEnd: mode, idleTimeoutMs: 300 });
    const record = await recordCall(client, { headersTimeoutMs: 20_000 });
    expect(record).toMatchObject({ body: "late", ends: 1 });
  });

  test("blames no upstream for the silence while it is paused", async () => {
    const upstream = await listen(async ({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
      await wait(100);
      socket.write("world");
    });
    const client = open(upstream.origin, { turnEnd: mode, idleTimeoutMs: 300 });
    let pausedMs = 0;
    const record = await recordCall(client, {
      onData(controller) {
        if (pausedMs > 0) return;
        pausedMs = 1_500;
        controller.pause();
        setTimeout(() => controller.resume(), pausedMs);
      },
    });
    expect(record).toMatchObject({ body: "helloworld", ends: 1 });
  });

  test("reads a response that comes before the request is sent", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.pause();
        socket.write(rawResponse("too large"));
      });
      closing.push(async () => void socket.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(async () => void server.close());
    const { port } = server.address() as AddressInfo;
    const client = open(`http://127.0.0.1:${port}`, { turnEnd: mode });
    const record = await recordCall(client, { body: Buffer.alloc(32 * 1024 * 1024) });
    expect(record).toMatchObject({ body: "too large", ends: 1, errors: [] });
  });

  test("sends a large body unchanged, and reports when it is sent", async () => {
    const body = Buffer.alloc(5 * 1024 * 1024);
    for (let i = 0; i < body.length; i += 7) body[i] = i & 255;
    const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    const upstream = await listen(({ socket, body: arrived }) =>
      socket.write(rawResponse(sha256(arrived))),
    );
    const client = open(upstream.origin, { turnEnd: mode });
    const record = await recordCall(client, { body });
    expect(record).toMatchObject({ body: sha256(body), isSent: true, ends: 1 });
    expect(upstream.received[0]?.head).toContain(`content-length: ${body.length}\r\n`);
  });

  test("closes the connection after an abort, in each phase", async () => {
    const upstream = await listen(({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
    });
    const client = open(upstream.origin, { turnEnd: mode });
    const reason = new Error("enough");
    const stop = (controller: { abort(reason: Error): void }) => controller.abort(reason);
    const atStart = await recordCall(client, { onStart: stop });
    expect(upstream.received).toHaveLength(0);
    const atHead = await recordCall(client, { onHead: stop });
    const atData = await recordCall(client, { onData: stop });
    for (const { errors, ends } of [atStart, atHead, atData]) {
      expect([errors, ends]).toEqual([["enough"], 0]);
    }
    await expect.poll(() => upstream.sockets.every((socket) => socket.destroyed)).toBe(true);
    expect(upstream.received).toHaveLength(2);
  });

  test("ends the call when its handler throws", async () => {
    const upstream = await listen(({ socket }) => socket.write(rawResponse("hello")));
    const client = open(upstream.origin, { turnEnd: mode });
    const record = await recordCall(client, {
      onHead() {
        throw new Error("a bug");
      },
    });
    expect(record).toMatchObject({ errors: ["a bug"], ends: 0 });
  });

  test("sends nothing that a header or a path could add", async () => {
    const upstream = await listen(({ socket }) => socket.write(rawResponse("hello")));
    const client = open(upstream.origin, { turnEnd: mode });
    const call = async (request: object) => {
      try {
        return (await recordCall(client, request)).errors;
      } catch {
        return ["thrown"];
      }
    };
    expect(await call({ headers: ["x-a", "1\r\nx-b: 2"] })).toHaveLength(1);
    expect(await call({ headers: ["x-a: 1\r\nx-b", "2"] })).toHaveLength(1);
    expect(await call({ headers: ["x a", "2"] })).toHaveLength(1);
    expect(await call({ path: "/v1 HTTP/1.1\r\nx-b: 2\r\n\r\n" })).toHaveLength(1);
    expect(await call({ path: "v1" })).toHaveLength(1);
    expect(upstream.received).toHaveLength(0);
    expect(await call({ headers: ["x-a", "é\t"], path: "/v1/é?%20" })).toHaveLength(0);
    expect(upstream.received[0]?.head).toMatch(/^POST \/v1\/é\?%20 HTTP\/1\.1\r\n/);
    expect(upstream.received[0]?.head).toMatch(/\r\nx-a: é/);
  });

  test("reports a refused connection, without a start", async () => {
    const upstream = await listen(() => undefined);
    await upstream.close();
    closing.splice(0);
    const record = await recordCall(open(upstream.origin, { turnEnd: mode }));
    expect(record).toMatchObject({ starts: 0, errors: ["ECONNREFUSED"] });
  });

  test("closes after the running requests, and fails new ones without a start", async () => {
    const upstream = await listen(async ({ socket, body }) => {
      if (body.includes("slow")) await wait(200);
      socket.write(rawResponse("hello"));
    });
    const client = open(upstream.origin, { turnEnd: mode });
    await recordCall(client);
    const running = recordCall(client, { body: Buffer.from("slow") });
    await expect.poll(() => upstream.received.length).toBe(2);
    const closed = client.close();
    expect(client.isClosed).toBe(true);
    const late = await recordCall(client);
    expect([late.starts, late.errors.length]).toEqual([0, 1]);
    expect(await running).toMatchObject({ body: "hello", ends: 1 });
    await closed;
    await expect.poll(() => upstream.sockets.every((socket) => socket.destroyed)).toBe(true);
  });

  test("ends running requests when it is destroyed", async () => {
    const upstream = await listen(() => undefined);
    const client = open(upstream.origin, { turnEnd: mode });
    const running = recordCall(client);
    await expect.poll(() => upstream.received.length).toBe(1);
    await client.destroy();
    expect((await running).errors).toHaveLength(1);
  });
});

describe.each(clients)("a kept connection of the client over %s", (_, mode) => {
  test("serves the next request, one at a time", async () => {
    const upstream = await listen(async ({ socket, body }) => {
      await wait(5);
      socket.write(rawResponse(`answer to ${body}`));
    });
    const client = open(upstream.origin, { turnEnd: mode });
    for (let round = 0; round < 5; round++) {
      const body = Buffer.from(`request ${round}`);
      expect((await recordCall(client, { body })).body).toBe(`answer to request ${round}`);
    }
    expect(upstream.sockets).toHaveLength(1);
    await Promise.all([recordCall(client), recordCall(client), recordCall(client)]);
    expect(upstream.sockets).toHaveLength(3);
  });

  test.each([
    ["connection: close", 2],
    ["keep-alive: timeout=1", 2],
    ["keep-alive: timeout=2", 2],
    ["keep-alive: timeout=30", 1],
    ["keep-alive: max=5", 1],
  ])("with %s makes two requests use %i connections", async (header, connections) => {
    const upstream = await listen(({ socket }) => socket.write(rawResponse("hello", [header])));
    const client = open(upstream.origin, { turnEnd: mode });
    for (let round = 0; round < 2; round++) {
      expect(await recordCall(client)).toMatchObject({ body: "hello", ends: 1 });
    }
    expect(upstream.sockets).toHaveLength(connections);
  });

  test.each(["FIN", "RST", "a response that was not requested"])(
    "is not used after %s",
    async (end) => {
      const upstream = await listen(async ({ socket, connection }) => {
        socket.write(rawResponse(`connection ${connection}`));
        await wait(20);
        if (end === "FIN") socket.end();
        else if (end === "RST") socket.resetAndDestroy();
        else socket.write(rawResponse("poison"));
      });
      const client = open(upstream.origin, { turnEnd: mode });
      for (let round = 0; round < 4; round++) {
        const record = await recordCall(client);
        expect(record).toMatchObject({ body: `connection ${round}`, starts: 1, ends: 1 });
        await wait(60);
      }
      expect(upstream.received).toHaveLength(4);
    },
  );

  test.each(["FIN", "RST"])("that ends with %s at the moment of its next use", async (end) => {
    const upstream = await listen(({ socket, body }) => {
      socket.write(rawResponse(body.toString()));
      setImmediate(() => (end === "FIN" ? socket.end() : socket.resetAndDestroy()));
    });
    const client = open(upstream.origin, { turnEnd: mode });
    const records: CallRecord[] = [];
    for (let round = 0; round < 100; round++) {
      const sent = Promise.withResolvers<CallRecord>();
      const body = Buffer.from(`request ${round}`);
      // Sends in the turn in which the response before ended.
      void recordCall(client, { body }).then(sent.resolve);
      records.push(await sent.promise);
    }
    for (const record of records) {
      expect(record.starts).toBeLessThanOrEqual(1);
      expect(record.ends + record.errors.length).toBe(1);
    }
    const bodies = upstream.received.map(({ body }) => body.toString());
    expect(new Set(bodies).size).toBe(bodies.length);
    expect(records.filter(({ ends }) => ends === 1).length).toBeGreaterThan(90);
  });
});

describe.each(clients)("TLS of the client over %s", (_, mode) => {
  async function listenTls(certificate: { cert: string; key: string }) {
    const server = createTlsServer({ ...certificate, ALPNProtocols: ["h2", "http/1.1"] });
    const upstream = await listenRaw(server, "secureConnection", ({ socket }) =>
      socket.write(rawResponse("hello")),
    );
    closing.push(() => upstream.close());
    return upstream;
  }
  const local = { cert: LOCAL_CERTIFICATE, key: LOCAL_CERTIFICATE_KEY };
  const other = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY };

  test("names the host, selects HTTP/1.1, and reads large bodies", async () => {
    const upstream = await listenTls(local);
    const options = { turnEnd: mode, ca: LOCAL_CERTIFICATE };
    const client = open(`https://localhost:${upstream.port}`, options);
    for (let round = 0; round < 3; round++) {
      const record = await recordCall(client, { body: Buffer.alloc(300_000, "x") });
      expect(record).toMatchObject({ body: "hello", ends: 1, isSent: true });
    }
    const [socket, ...others] = upstream.sockets as TLSSocket[];
    expect([socket?.servername, socket?.alpnProtocol, others.length]).toEqual([
      "localhost",
      "http/1.1",
      0,
    ]);
    expect(upstream.received.map(({ body }) => body.length)).toEqual([300_000, 300_000, 300_000]);
  });

  test("stops the upstream during a pause, and then reads all bytes", async () => {
    const text = "0123456789".repeat(800_000);
    const server = createTlsServer(local);
    const upstream = await listenRaw(server, "secureConnection", ({ socket }) =>
      socket.write(rawResponse(text)),
    );
    closing.push(() => upstream.close());
    const options = { turnEnd: mode, ca: LOCAL_CERTIFICATE };
    const client = open(`https://localhost:${upstream.port}`, options);
    let pauses = 0;
    let heldBytes = 0;
    const record = await recordCall(client, {
      onData(controller) {
        if (pauses++ > 0) return;
        controller.pause();
        setTimeout(() => {
          heldBytes = upstream.sockets[0]?.writableLength ?? 0;
          controller.resume();
        }, 200);
      },
    });
    expect(record.body).toBe(text);
    expect(heldBytes).toBeGreaterThan(0);
  });

  test("resumes the session on the next connection", async () => {
    const upstream = await listenTls(local);
    const options = { turnEnd: mode, ca: LOCAL_CERTIFICATE };
    const client = open(`https://localhost:${upstream.port}`, options);
    await recordCall(client);
    await Promise.all([recordCall(client), recordCall(client)]);
    const [first, second] = upstream.sockets as TLSSocket[];
    expect([first?.isSessionReused(), second?.isSessionReused()]).toEqual([false, true]);
  });

  test("accepts an address that the certificate contains, without a server name", async () => {
    const upstream = await listenTls(local);
    const options = { turnEnd: mode, ca: LOCAL_CERTIFICATE };
    const client = open(`https://127.0.0.1:${upstream.port}`, options);
    expect(await recordCall(client)).toMatchObject({ body: "hello", ends: 1 });
    expect((upstream.sockets[0] as TLSSocket).servername).toBe(false);
  });

  test.each([
    ["without trust", local, undefined, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["of another name", other, TEST_CERTIFICATE, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ])("sends nothing to a server with a certificate %s", async (_, certificate, ca, code) => {
    const upstream = await listenTls(certificate);
    const trust = ca === undefined ? {} : { ca };
    const client = open(`https://localhost:${upstream.port}`, { turnEnd: mode, ...trust });
    expect(await recordCall(client)).toMatchObject({ starts: 0, errors: [code] });
    expect(upstream.received).toHaveLength(0);
  });
});
