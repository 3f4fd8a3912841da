import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { call, messageBody, withKey } from "#test/harness/gateway.ts";
import { connectRaw, sendRaw, startBoth, untilRunning } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { MAX_BODY_BYTES } from "./read-body.ts";

describeEachReader(() => {
  describe("a refused body does not reach the upstream", () => {
    const tooLong = `Request exceeds the maximum size of 32 MB (${MAX_BODY_BYTES} bytes).`;

    test("of 32 MB and one byte by its declared length: 413 before it is read", async () => {
      const { upstream, gateway } = await startBoth();
      const answer = await call(gateway.origin, {
        headers: withKey(gateway.secret),
        body: Buffer.alloc(MAX_BODY_BYTES + 1, " "),
      });
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.text).error).toEqual({
        type: "request_too_large",
        message: tooLong,
        details: { error_code: "request_too_large" },
      });
      expect(answer.headers.connection).toBe("close");
      expect(upstream.received).toEqual([]);
      expect(gateway.begins).toEqual([]);
    });

    test("of 32 MB and one byte in chunks: 413 as soon as it is too long", async () => {
      const { upstream, gateway } = await startBoth();
      const answer = await call(gateway.origin, {
        headers: { ...withKey(gateway.secret), "transfer-encoding": "chunked" },
        body: Buffer.alloc(MAX_BODY_BYTES + 1, " "),
      });
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.text).error.message).toBe(tooLong);
      expect(upstream.received).toEqual([]);
    });

    test("exactly 32 MB passes", async () => {
      const { upstream, gateway } = await startBoth();
      const body = messageBody();
      const answer = await call(gateway.origin, {
        headers: withKey(gateway.secret),
        body: body + " ".repeat(MAX_BODY_BYTES - body.length),
      });
      expect(answer.status).toBe(200);
      expect(upstream.received[0]?.body.length).toBe(MAX_BODY_BYTES);
    });

    test.each([
      [
        "compressed",
        { "content-encoding": "gzip" },
        messageBody(),
        /content-encoding "gzip" is not supported/,
      ],
      ["no JSON", {}, "{", /./],
      ["empty", {}, "", /empty/],
      [
        "with a duplicated model",
        {},
        '{"model":"a","model":"b","max_tokens":1,"messages":[]}',
        /model/,
      ],
      ["with a wrong type", {}, messageBody({ max_tokens: "many" }), /^max_tokens/],
    ])("%s: 400", async (_, headers, body, message) => {
      const { upstream, gateway } = await startBoth();
      const answer = await call(gateway.origin, {
        headers: { ...withKey(gateway.secret), ...headers },
        body,
      });
      expect(answer.status).toBe(400);
      const { error } = JSON.parse(answer.text);
      expect(error.type).toBe("invalid_request_error");
      expect(error.message).toMatch(message);
      expect(answer.headers["anthropic-workspace-id"]).toBe("wksp_test");
      expect(upstream.received).toEqual([]);
      expect(gateway.begins).toEqual([]);
    });

    test("content-encoding identity counts as no encoding", async () => {
      const { gateway } = await startBoth();
      const headers = { ...withKey(gateway.secret), "content-encoding": "identity" };
      expect((await call(gateway.origin, { headers, body: messageBody() })).status).toBe(200);
    });

    test("with ids of objects that its workspace does not own: 404, also for a token count", async () => {
      const { upstream, gateway } = await startBoth();
      const source = { type: "file", file_id: "file_1" };
      const body = messageBody({
        messages: [{ role: "user", content: [{ type: "document", source }] }],
      });
      for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
        const answer = await call(gateway.origin, { path, headers: withKey(gateway.secret), body });
        expect(answer.status).toBe(404);
      }
      expect(upstream.received).toEqual([]);
    });

    test("too slow: 400, and the connection is closed", async () => {
      const { upstream, gateway } = await startBoth({
        bodyLimits: { periodMs: 100, leastBytes: 1, totalMs: 60_000 },
      });
      const { text } = await sendRaw(gateway, "content-length: 500\r\n\r\n{");
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(text).toContain("did not arrive in time");
      expect(upstream.received).toEqual([]);
    });

    test("below the least rate: 400, although bytes still arrive", async () => {
      const { upstream, gateway } = await startBoth({
        bodyLimits: { periodMs: 200, leastBytes: 1_000, totalMs: 60_000 },
      });
      const socket = connectRaw(gateway, "content-length: 500000\r\n\r\n{");
      const trickle = setInterval(() => socket.write(" "), 10);
      onTestFinished(() => {
        clearInterval(trickle);
        socket.destroy();
      });
      const [data] = await once(socket, "data");
      expect(String(data)).toMatch(/^HTTP\/1\.1 400 /);
      expect(String(data)).toContain("request_body_timeout");
      expect(upstream.received).toEqual([]);
    });

    test("a client that leaves during its body leaves no state", async () => {
      const { upstream, gateway } = await startBoth();
      const socket = connectRaw(gateway, "content-length: 500\r\n\r\n{");
      await once(socket, "connect");
      await untilRunning(gateway, 1);
      socket.resetAndDestroy();
      await untilRunning(gateway, 0);
      expect(gateway.observed).toMatchObject([{ status: null, outcome: "abandoned" }]);
      expect(upstream.received).toEqual([]);
      expect(gateway.begins).toEqual([]);
    });
  });
});
