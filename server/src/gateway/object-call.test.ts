import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, onTestFinished } from "vitest";
import { call, open, start, type TestGateway, withKey } from "#test/harness/gateway.ts";
import { openGateway, readAll, startBoth, untilRunning } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";
import { toStreamedBody } from "./object-body.ts";
import { noObjects, type ObjectCall, type ObjectServer } from "./object-call.ts";

const MEGABYTE = 1024 * 1024;
/** Time for which nothing is written to a full connection. */
const STALL_MS = 300;
const MAX_BYTES = 8 * MEGABYTE;

/** Sends each call on to its upstream, with its body. */
const makeRelaying = (maxBytes: number): ObjectServer => ({
  ...noObjects,
  async serve(objectCall: ObjectCall) {
    const method = objectCall.route.operation.endsWith("create") ? "POST" : "GET";
    const [upstream] = objectCall.upstreams();
    const opened = method === "POST" ? objectCall.openBody(maxBytes) : null;
    const { target } = objectCall;
    const body = opened && toStreamedBody(opened.body, opened.bytes);
    await objectCall.relay(await objectCall.send(upstream, { method, target, body }));
  },
});
const relaying = makeRelaying(MAX_BYTES);

const headersOf = (gateway: TestGateway, permission: "read" | "write" = "write") => ({
  ...withKey(gateway.addKey({ permission })),
  "content-type": "multipart/form-data; boundary=x",
});

const untilIdle = (gateway: TestGateway) => untilRunning(gateway, 0);

describeEachReader(() => {
  describe("a call about a stored object", () => {
    test("carries its body and its headers to the upstream, and the answer back", async () => {
      const bytes = Buffer.alloc(3 * MEGABYTE, "abc");
      const { upstream, gateway } = await startBoth({
        objects: relaying,
        script: (exchange) => exchange.json({ id: "file_1" }, { headers: { "set-cookie": "a=b" } }),
      });
      const headers = { ...headersOf(gateway), "anthropic-beta": "files-api-2025-04-14" };
      const path = "/v1/files?beta=true";
      const answer = await call(gateway.origin, { path, headers, body: bytes });
      expect([answer.status, answer.text]).toEqual([200, '{"id":"file_1"}']);
      expect(answer.headers["set-cookie"]).toBeUndefined();
      expect(answer.headers["anthropic-workspace-id"]).toBe("wksp_test");
      const [received] = upstream.received;
      expect([received?.method, received?.url]).toEqual(["POST", path]);
      expect(received?.body.equals(bytes)).toBe(true);
      expect(received?.headers["content-type"]).toBe("multipart/form-data; boundary=x");
      expect(received?.headers["content-length"]).toBe(String(bytes.length));
      expect(received?.headers["x-api-key"]).toBe("upstream-credential-of-the-test");
      expect(gateway.observed.map(({ outcome, status }) => [outcome, status])).toEqual([
        ["answered", 200],
      ]);
      await untilIdle(gateway);
    });

    test("reads an answer no faster than its client", async () => {
      const total = 64 * MEGABYTE;
      let sentBytes = 0;
      const { promise: stalled, resolve: noteStall } = Promise.withResolvers<void>();
      const { gateway } = await startBoth({
        objects: relaying,
        async script({ response, closed }) {
          response.writeHead(200, { "content-type": "application/binary" });
          const part = Buffer.alloc(MEGABYTE, "x");
          while (sentBytes < total && !response.destroyed) {
            sentBytes += part.length;
            if (response.write(part)) continue;
            const timer = setTimeout(noteStall, STALL_MS);
            await Promise.race([once(response, "drain"), closed]);
            clearTimeout(timer);
          }
          response.end();
        },
      });
      const answer = await open(gateway.origin, {
        method: "GET",
        path: "/v1/files/file_1/content",
        headers: headersOf(gateway),
      });
      // Full buffers between both ends stop the upstream.
      await stalled;
      expect(sentBytes).toBeLessThan(total / 2);
      let readBytes = 0;
      for await (const chunk of answer) readBytes += (chunk as Buffer).length;
      expect(readBytes).toBe(total);
      await untilIdle(gateway);
    });

    test("reads a body no faster than its upstream", async () => {
      const total = 64 * MEGABYTE;
      const { promise: stalled, resolve: noteStall } = Promise.withResolvers<void>();
      const server = createServer((received, response) => {
        void stalled.then(() => received.resume());
        received.on("end", () => response.end("{}"));
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      onTestFinished(() => void server.close());
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const objects = makeRelaying(total);
      const gateway = await openGateway({ origin, objects });
      const headers = { ...headersOf(gateway), "content-length": String(total) };
      const path = "/v1/files";
      const { port } = gateway;
      const upload = request({ host: "127.0.0.1", port, method: "POST", path, headers });
      const answered = once(upload, "response");
      const part = Buffer.alloc(MEGABYTE, "x");
      let sentBytes = 0;
      let stalledAtBytes = 0;
      while (sentBytes < total) {
        sentBytes += part.length;
        if (upload.write(part)) continue;
        const timer = setTimeout(() => {
          stalledAtBytes ||= sentBytes;
          noteStall();
        }, STALL_MS);
        await once(upload, "drain");
        clearTimeout(timer);
      }
      upload.end();
      const [answer] = (await answered) as [IncomingMessage];
      expect([answer.statusCode, (await readAll(answer)).text]).toEqual([200, "{}"]);
      expect(stalledAtBytes).toBeGreaterThan(0);
      expect(stalledAtBytes).toBeLessThan(total / 2);
      await untilIdle(gateway);
    });

    test("with a body over the limit is a 413, with and without a declared length", async () => {
      const { gateway } = await startBoth({ objects: relaying });
      const headers = headersOf(gateway);
      const path = "/v1/files";
      const body = Buffer.alloc(MAX_BYTES + 1);
      const declared = await call(gateway.origin, { path, headers, body });
      expect([declared.status, JSON.parse(declared.text).error.type]).toEqual([
        413,
        "request_too_large",
      ]);
      const chunked = { ...headers, "transfer-encoding": "chunked" };
      const streamed = await call(gateway.origin, { path, headers: chunked, body });
      expect(streamed.status).toBe(413);
      await untilIdle(gateway);
    });

    test("that its client leaves during the body reaches the upstream in no whole form", async () => {
      const { upstream, gateway } = await startBoth({ objects: relaying });
      const headers = { ...headersOf(gateway), "content-length": String(2 * MEGABYTE) };
      const client = start(gateway.origin, { path: "/v1/files", headers, body: "part" });
      await untilRunning(gateway, 1);
      client.destroy();
      await untilIdle(gateway);
      expect(upstream.received).toEqual([]);
      expect(gateway.observed.map(({ outcome }) => outcome)).toEqual(["abandoned"]);
    });

    test("that its client leaves before its body is read fails for its reader alone", async () => {
      const opened = Promise.withResolvers<void>();
      const left = Promise.withResolvers<void>();
      const read = Promise.withResolvers<unknown>();
      const objects: ObjectServer = {
        ...noObjects,
        async serve(objectCall: ObjectCall) {
          const { body } = objectCall.openBody(MAX_BYTES);
          objectCall.signal.addEventListener("abort", () => left.resolve());
          opened.resolve();
          await left.promise;
          // Node throws an error event without a listener in the next turn.
          await nextTurn();
          const reading = body.toArray();
          read.resolve(await reading.catch((error: unknown) => error));
          await reading;
        },
      };
      const { gateway } = await startBoth({ objects });
      const headers = { ...headersOf(gateway), "content-length": String(2 * MEGABYTE) };
      const client = start(gateway.origin, { path: "/v1/files", headers, body: "part" });
      await opened.promise;
      client.destroy();
      expect(await read.promise).toMatchObject({ message: expect.stringContaining("client") });
      await untilIdle(gateway);
    });

    test("needs a key whose permission allows the operation", async () => {
      const { upstream, gateway } = await startBoth({ objects: relaying });
      const headers = headersOf(gateway, "read");
      const listed = await call(gateway.origin, { method: "GET", path: "/v1/files", headers });
      expect(listed.status).toBe(200);
      const denied = await call(gateway.origin, { path: "/v1/files", headers, body: "x" });
      expect([denied.status, JSON.parse(denied.text).error.details.error_code]).toEqual([
        403,
        "permission_denied",
      ]);
      expect(upstream.received.map(({ method }) => method)).toEqual(["GET"]);
    });

    test("gets a 502 if its upstream ends the connection without an answer", async () => {
      const { gateway } = await startBoth({
        objects: relaying,
        script: (exchange) => exchange.reset(),
      });
      const headers = headersOf(gateway);
      const answer = await call(gateway.origin, { method: "GET", path: "/v1/files", headers });
      expect([answer.status, JSON.parse(answer.text).error.details.error_code]).toEqual([
        502,
        "upstream_connection_lost",
      ]);
      await untilIdle(gateway);
    });

    test("is cut off if its upstream breaks the answer", async () => {
      const { gateway, upstream } = await startBoth({
        objects: relaying,
        script({ response }) {
          response.writeHead(200, { "content-length": "1000" });
          response.write("part");
        },
      });
      const path = "/v1/files/file_1/content";
      const begun = upstream.nextExchange();
      const answer = await open(gateway.origin, {
        method: "GET",
        path,
        headers: headersOf(gateway),
      });
      (await begun).reset();
      expect((await readAll(answer)).isWhole).toBe(false);
      await untilIdle(gateway);
      expect(gateway.observed.map(({ outcome }) => outcome)).toEqual(["interrupted"]);
    });
  });
});
