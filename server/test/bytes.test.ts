import { randomBytes } from "node:crypto";
import { afterAll, expect } from "vitest";
import { messageEvents, messageJson, sha256 } from "#test/harness/fake-upstream.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { type ServerProcess, startServer, stopAllServers } from "#test/harness/server-process.ts";
import { test as base } from "#test/harness/upstream-test.ts";

// The proxy passes the same bytes as a direct connection.

const test = base
  .extend(
    "exchange",
    ({ upstream }) =>
      async (origin: string, body: string): Promise<Exchanged> => {
        const response = await fetch(`${origin}/v1/messages`, {
          method: "POST",
          headers: {
            "x-api-key": key,
            "content-type": "application/json",
            "anthropic-version": "2023-06-01",
          },
          body,
        });
        const bytes = Buffer.from(await response.arrayBuffer());
        return {
          status: response.status,
          contentType: response.headers.get("content-type"),
          sentSha256: upstream.received.at(-1)?.bodySha256,
          answerSha256: sha256(bytes),
          bytes: bytes.length,
        };
      },
  )
  .extend(
    "expectSameBytes",
    ({ upstream, exchange }) =>
      async (body: string): Promise<Exchanged> => {
        const direct = await exchange(upstream.origin, body);
        const through = await exchange(server.url, body);
        expect(through).toEqual(direct);
        expect(through.sentSha256).toBe(sha256(body));
        return through;
      },
  );

let server: ServerProcess;
let key: string;

interface Exchanged {
  status: number;
  contentType: string | null;
  sentSha256: string | undefined;
  answerSha256: string;
  bytes: number;
}

/** Body that a parser would normalize: spaces, escapes, numbers, key order, an unknown field. */
function untidyBody(system: string, stream: boolean): string {
  return `{ "stream" :${stream},"future_field":{"z":1.50e+2,"a":"\\u00e9\\/"},\t"model":"claude-of-tomorrow",\n"max_tokens":16,"system":${JSON.stringify(system)},"messages":[{"role":"user","content":"Grüße 👋"}] }`;
}

describeEachReader((reader) => {
  test.beforeAll(async ({ upstream }) => {
    server = await startServer({
      env: {
        BURSAR_HTTP: reader,
        ANTHROPIC_API_KEY: "upstream-credential",
        ANTHROPIC_UPSTREAM_URL: upstream.origin,
      },
    });
    key = (await server.workspaceWithKey()).key;
  }, 90_000);
  afterAll(async () => {
    await stopAllServers();
  });

  test("passes a body of 5 MB and a JSON response unchanged", async ({
    upstream,
    expectSameBytes,
  }) => {
    const answer = `{ "id":"msg_01", "usage":{"input_tokens":10,"output_tokens":5.0e0},"content":[ ],\n "model":"claude-haiku-4-5-20251001","é":"\\u00e9" }`;
    upstream.script = (one) => one.json(answer);
    const body = untidyBody(randomBytes(2_500_000).toString("hex"), false);
    expect(body.length).toBeGreaterThan(5_000_000);
    const exchanged = await expectSameBytes(body);
    expect(exchanged).toMatchObject({ status: 200, answerSha256: sha256(answer) });
  });

  test("passes the largest body of the Claude API, 32 MB to the byte, unchanged", async ({
    upstream,
    expectSameBytes,
  }) => {
    upstream.script = (one) => one.json(messageJson());
    const frame = Buffer.byteLength(untidyBody("", false));
    const body = untidyBody("a".repeat(32 * 1024 * 1024 - frame), false);
    expect(Buffer.byteLength(body)).toBe(32 * 1024 * 1024);
    expect(await expectSameBytes(body)).toMatchObject({ status: 200 });
  });

  test("passes a JSON response of 5 MB unchanged", async ({ upstream, expectSameBytes }) => {
    const answer = JSON.stringify(messageJson({ text: randomBytes(2_500_000).toString("hex") }));
    upstream.script = (one) => one.json(answer);
    const exchanged = await expectSameBytes(untidyBody("", false));
    expect(exchanged).toMatchObject({ status: 200, answerSha256: sha256(answer) });
  });

  test("passes a stream of 2,000 events unchanged", async ({ upstream, expectSameBytes }) => {
    const events = messageEvents(2_000);
    upstream.script = (one) => one.stream(events);
    const exchanged = await expectSameBytes(untidyBody("", true));
    expect(exchanged).toMatchObject({ status: 200, answerSha256: sha256(events.join("")) });
  });

  test("passes an error of the upstream unchanged", async ({ upstream, expectSameBytes }) => {
    const error = `{"type":"error",  "error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_upstream"}`;
    upstream.script = (one) => one.json(error, { status: 529 });
    const exchanged = await expectSameBytes(untidyBody("", false));
    expect(exchanged).toMatchObject({ status: 529, answerSha256: sha256(error) });
  });
});
