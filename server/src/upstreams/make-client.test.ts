import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { FieldLines } from "#src/lib/field-lines.ts";
import {
  type CallRecord,
  listenTcp,
  rawResponse,
  recordCall,
  startRawUpstream,
} from "#test/harness/raw-upstream.ts";
import { openClient, upstreamClients } from "#test/harness/upstream-clients.ts";

// Both clients call the same upstreams, with the same expectations.

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

describe.each(upstreamClients)("the client over %s", (_, mode) => {
  test("reads a response to HEAD, whose length is not that of a body", async () => {
    const upstream = await startRawUpstream(({ socket }) =>
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"),
    );
    const client = openClient(upstream.origin, { turnEnd: mode });
    const record = await recordCall(client, { method: "HEAD", body: null });
    expect(record).toMatchObject({ statuses: [200], body: "", ends: 1 });
  });

  test("passes repeated headers on one by one", async () => {
    const upstream = await startRawUpstream(({ socket }) =>
      socket.write(rawResponse("", ["X-A: 1", "x-b: 2", "x-a:  3", "x-c:"])),
    );
    const record = await recordCall(openClient(upstream.origin, { turnEnd: mode }));
    expect(record.fields.join()).toContain("x-a,1,x-b,2,x-a,3,x-c,");
  });

  test("reports silence before the head and within the body, and no slow response", async () => {
    const idleTimeoutMs = 500;
    const upstream = await startRawUpstream(async ({ socket, body }) => {
      if (body.includes("silent head")) return;
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nh");
      if (body.includes("silent body")) return;
      for (const letter of "ello all") {
        await wait(250);
        socket.write(letter);
      }
    });
    const client = openClient(upstream.origin, { turnEnd: mode, idleTimeoutMs });
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
    const upstream = await startRawUpstream(async ({ socket }) => {
      await wait(1_500);
      socket.write(rawResponse("late"));
    });
    const client = openClient(upstream.origin, { turnEnd: mode, idleTimeoutMs: 300 });
    const record = await recordCall(client, { headersTimeoutMs: 20_000 });
    expect(record).toMatchObject({ body: "late", ends: 1 });
  });

  test("blames no upstream for the silence while it is paused", async () => {
    const upstream = await startRawUpstream(async ({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
      await wait(100);
      socket.write("world");
    });
    const client = openClient(upstream.origin, { turnEnd: mode, idleTimeoutMs: 300 });
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
    const port = await listenTcp((socket) => {
      socket.once("data", () => {
        socket.pause();
        socket.write(rawResponse("too large"));
      });
    });
    const client = openClient(`http://127.0.0.1:${port}`, { turnEnd: mode });
    const record = await recordCall(client, { body: Buffer.alloc(32 * 1024 * 1024) });
    expect(record).toMatchObject({ body: "too large", ends: 1, errors: [] });
  });

  test("sends a large body unchanged, and reports when it is sent", async () => {
    const body = Buffer.alloc(5 * 1024 * 1024);
    for (let i = 0; i < body.length; i += 7) body[i] = i & 255;
    const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    const upstream = await startRawUpstream(({ socket, body: arrived }) =>
      socket.write(rawResponse(sha256(arrived))),
    );
    const client = openClient(upstream.origin, { turnEnd: mode });
    const record = await recordCall(client, { body });
    expect(record).toMatchObject({ body: sha256(body), isSent: true, ends: 1 });
    expect(upstream.received[0]?.head).toContain(`content-length: ${body.length}\r\n`);
  });

  test("closes the connection after an abort, in each phase", async () => {
    const upstream = await startRawUpstream(({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
    });
    const client = openClient(upstream.origin, { turnEnd: mode });
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
    const upstream = await startRawUpstream(({ socket }) => socket.write(rawResponse("hello")));
    const client = openClient(upstream.origin, { turnEnd: mode });
    const record = await recordCall(client, {
      onHead() {
        throw new Error("a bug");
      },
    });
    expect(record).toMatchObject({ errors: ["a bug"], ends: 0 });
  });

  test("sends nothing that a header or a path could add", async () => {
    const upstream = await startRawUpstream(({ socket }) => socket.write(rawResponse("hello")));
    const client = openClient(upstream.origin, { turnEnd: mode });
    const call = async ({ headers = [], ...request }: { headers?: string[]; path?: string }) => {
      try {
        const sent = { ...request, headers: FieldLines.fromList(headers) };
        return (await recordCall(client, sent)).errors;
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
    const upstream = await startRawUpstream(() => undefined);
    await upstream.close();
    const record = await recordCall(openClient(upstream.origin, { turnEnd: mode }));
    expect(record).toMatchObject({ starts: 0, errors: ["ECONNREFUSED"] });
  });

  test("closes after the running requests, and fails new ones without a start", async () => {
    const upstream = await startRawUpstream(async ({ socket, body }) => {
      if (body.includes("slow")) await wait(200);
      socket.write(rawResponse("hello"));
    });
    const client = openClient(upstream.origin, { turnEnd: mode });
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
    const upstream = await startRawUpstream(() => undefined);
    const client = openClient(upstream.origin, { turnEnd: mode });
    const running = recordCall(client);
    await expect.poll(() => upstream.received.length).toBe(1);
    await client.destroy();
    expect((await running).errors).toHaveLength(1);
  });
});

describe.each(upstreamClients)("a kept connection of the client over %s", (_, mode) => {
  test("serves the next request, one at a time", async () => {
    const upstream = await startRawUpstream(async ({ socket, body }) => {
      await wait(5);
      socket.write(rawResponse(`answer to ${body}`));
    });
    const client = openClient(upstream.origin, { turnEnd: mode });
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
    const upstream = await startRawUpstream(({ socket }) =>
      socket.write(rawResponse("hello", [header])),
    );
    const client = openClient(upstream.origin, { turnEnd: mode });
    for (let round = 0; round < 2; round++) {
      expect(await recordCall(client)).toMatchObject({ body: "hello", ends: 1 });
    }
    expect(upstream.sockets).toHaveLength(connections);
  });

  test.each(["FIN", "RST", "a response that was not requested"])(
    "is not used after %s",
    async (end) => {
      const upstream = await startRawUpstream(async ({ socket, connection }) => {
        socket.write(rawResponse(`connection ${connection}`));
        await wait(20);
        if (end === "FIN") socket.end();
        else if (end === "RST") socket.resetAndDestroy();
        else socket.write(rawResponse("poison"));
      });
      const client = openClient(upstream.origin, { turnEnd: mode });
      for (let round = 0; round < 4; round++) {
        const record = await recordCall(client);
        expect(record).toMatchObject({ body: `connection ${round}`, starts: 1, ends: 1 });
        // The client then reads the end in the same process.
        await expect.poll(() => upstream.sockets[round]?.destroyed).toBe(true);
        await wait(20);
      }
      expect(upstream.received).toHaveLength(4);
    },
  );

  test.each(["FIN", "RST"])("that ends with %s at the moment of its next use", async (end) => {
    const upstream = await startRawUpstream(({ socket, body }) => {
      socket.write(rawResponse(body.toString()));
      setImmediate(() => (end === "FIN" ? socket.end() : socket.resetAndDestroy()));
    });
    const client = openClient(upstream.origin, { turnEnd: mode });
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
