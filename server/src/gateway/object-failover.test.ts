import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import type { Socket } from "node:net";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { MAX_FAILURES_IN_ROW, OPEN_MS } from "#src/upstreams/upstream-health.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type FakeUpstream, type Script, startFakeUpstream } from "#test/harness/fake-upstream.ts";
import { open, start } from "#test/harness/gateway.ts";
import { untilRunning } from "#test/harness/gateway-calls.ts";
import {
  bodies,
  codeOf,
  create,
  findRow,
  type Kind,
  kinds,
  newId,
  paths,
  scripts,
  serve,
  test,
} from "#test/harness/object-failover-test.ts";
import { listenTcp } from "#test/harness/raw-upstream.ts";

// Calls about stored objects at several upstreams. The logs of the stand-ins show which of them got a request.

const MEGABYTE = 1024 * 1024;

/** Answers with success, and breaks off. */
const cut: Script = ({ response }) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
  response.write('{"id":', () => response.destroy());
};

/** An upstream whose port nothing listens on. */
async function startClosed(): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream();
  await upstream.close();
  return upstream;
}

const bodyOf = ({ received }: FakeUpstream, index = 0) => received[index]?.body.toString();

describe.each(kinds)("a new %s", (kind) => {
  test.for([
    ["refuses connections", "unreached"],
    ["429", "rate_limited"],
    ["529", "overloaded"],
  ] as const)(
    "goes to the next upstream if the first answers: %s",
    async ([name, reason], { pair, openSeveral, folder }) => {
      const first = name === "429" || name === "529" ? pair[0] : await startClosed();
      if (name === "429" || name === "529") pair[0].script = scripts[name];
      const id = newId(kind);
      pair[1].script = serve(kind, id);
      const several = await openSeveral([first, pair[1]]);
      const answer = await create(several, kind);
      expect([answer.status, JSON.parse(answer.text).id]).toEqual([200, id]);
      expect(several.counts()).toEqual([reason === "unreached" ? 0 : 1, 1]);
      expect(bodyOf(pair[1])).toBe(bodies[kind]);
      if (reason !== "unreached") expect(bodyOf(first)).toBe(bodies[kind]);
      expect(await findRow(several, kind)).toEqual({
        id,
        upstream: "ups_1",
        failover: reason,
        state: "running",
      });
      await eventually(5_000, "the body is removed", async () =>
        (await readdir(folder)).length === 0 ? true : null,
      );
    },
  );

  test.for([
    ["reset", 502],
    ["hang", 504],
    ["500", 500],
    ["400", 400],
  ] as const)(
    "stays at the first upstream after: %s",
    async ([name, status], { pair, openSeveral }) => {
      pair[0].script = scripts[name];
      const several = await openSeveral(pair);
      const answer = await create(several, kind);
      expect(answer.status).toBe(status);
      expect(several.counts()).toEqual([1, 0]);
      const row = await findRow(several, kind);
      if (kind !== "batch") expect(row).toBeNull();
      else {
        const state = name === "400" ? "refused" : "sent";
        expect(row).toEqual({ id: null, upstream: "ups_0", failover: null, state });
      }
    },
  );

  test("stays at the first upstream, whose answer breaks off", async ({ pair, openSeveral }) => {
    pair[0].script = cut;
    const several = await openSeveral(pair);
    const answer = await create(several, kind);
    expect([answer.status, codeOf(answer)]).toEqual([502, "upstream_connection_lost"]);
    expect(several.counts()).toEqual([1, 0]);
    const row = await findRow(several, kind);
    if (kind !== "batch") expect(row).toBeNull();
    else expect(row).toMatchObject({ upstream: "ups_0", state: "sent" });
  });

  test("gets the last refusal if all upstreams refuse", async ({ pair, openSeveral }) => {
    pair[0].script = scripts["429"];
    pair[1].script = scripts["529"];
    const several = await openSeveral(pair);
    const answer = await create(several, kind);
    expect([answer.status, JSON.parse(answer.text).error.type]).toEqual([529, "overloaded_error"]);
    expect(several.counts()).toEqual([1, 1]);
    const row = await findRow(several, kind);
    if (kind !== "batch") expect(row).toBeNull();
    else expect(row).toMatchObject({ state: "refused", id: null });
  });

  test("gets the refusal of the first upstream if the next one cannot be reached", async ({
    pair,
    openSeveral,
  }) => {
    pair[0].script = scripts["429"];
    const several = await openSeveral([pair[0], await startClosed()]);
    const answer = await create(several, kind);
    expect([answer.status, JSON.parse(answer.text).error.type]).toEqual([429, "rate_limit_error"]);
    if (kind === "batch") expect(await findRow(several, kind)).toMatchObject({ state: "refused" });
  });

  test("gets a 502 if no upstream is reached", async ({ openSeveral }) => {
    const several = await openSeveral([await startClosed(), await startClosed()]);
    const answer = await create(several, kind);
    expect([answer.status, codeOf(answer)]).toEqual([502, "upstream_unreachable"]);
    if (kind === "batch") expect(await findRow(several, kind)).toMatchObject({ state: "refused" });
  });
});

test("an upload of unknown length stays at an upstream that has got a part of it", async ({
  pair,
  openSeveral,
}) => {
  pair[0].script = scripts["429"];
  const several = await openSeveral(pair);
  const chunked = { path: paths.file, headers: { "transfer-encoding": "chunked" }, body: "a file" };
  expect((await several.client.call(chunked)).status).toBe(429);
  expect(several.counts()).toEqual([1, 0]);
});

test("an upload of unknown length goes to the next upstream if the first is not reached", async ({
  pair: [second],
  openSeveral,
}) => {
  second.script = serve("file", "file_streamed");
  const several = await openSeveral([await startClosed(), second]);
  const chunked = { path: paths.file, headers: { "transfer-encoding": "chunked" }, body: "a file" };
  expect((await several.client.call(chunked)).status).toBe(200);
  expect(bodyOf(second)).toBe("a file");
});

describe("a call about an object goes to its own upstream alone", () => {
  const calls: readonly [string, Kind, string, string][] = [
    ["get a file", "file", "GET", ""],
    ["download a file", "file", "GET", "/content"],
    ["delete a file", "file", "DELETE", ""],
    ["get a skill", "skill", "GET", ""],
    ["list versions", "skill", "GET", "/versions"],
    ["create a version", "skill", "POST", "/versions"],
    ["delete a skill", "skill", "DELETE", ""],
    ["get a batch", "batch", "GET", ""],
    ["cancel a batch", "batch", "POST", "/cancel"],
    ["read results", "batch", "GET", "/results"],
  ];
  test.for(calls.flatMap((call) => Object.keys(scripts).map((name) => [...call, name] as const)))(
    "%s",
    async ([, kind, method, rest, name], { pair, openSeveral }) => {
      const id = newId(kind);
      pair[0].script = scripts["529"];
      pair[1].script = serve(kind, id);
      const several = await openSeveral(pair);
      expect((await create(several, kind)).status).toBe(200);
      pair[0].script = serve(kind, "another");
      pair[1].script = scripts[name as keyof typeof scripts];
      const body = method === "POST" ? { body: "{}" } : {};
      const answer = await several.client.call({
        method,
        path: `${paths[kind]}/${id}${rest}`,
        ...body,
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(several.counts()).toEqual([1, 2]);
      expect(await findRow(several, kind)).toMatchObject({ id, upstream: "ups_1" });
    },
  );
});

describe("the circuit breaker", () => {
  test.for([
    ["no connection", "ECONNREFUSED"],
    ["hang", "UND_ERR_HEADERS_TIMEOUT"],
    ["500", "http_500"],
  ] as const)(
    "counts failures of uploads and reads: %s",
    async ([name, failure], { pair, openSeveral }) => {
      const first = name === "no connection" ? await startClosed() : pair[0];
      if (name !== "no connection") first.script = scripts[name];
      pair[1].script = serve("file", newId("file"));
      const several = await openSeveral([first, pair[1]]);
      await create(several, "file");
      const { health } = several.gateway.order[0];
      expect(health.facts()).toMatchObject({ failures: 1, lastFailure: failure });
    },
  );

  test("counts nothing against an upstream whose client leaves during its upload", async ({
    openSeveral,
  }) => {
    const arrived = Promise.withResolvers<Socket>();
    const port = await listenTcp((socket) => arrived.resolve(socket));
    const upstream = { origin: `http://127.0.0.1:${port}`, received: [] };
    const gateway = { idleTimeoutMs: 60_000 };
    const { client, ...several } = await openSeveral([upstream, upstream], { gateway });
    // Too long to be kept, so its part is at the upstream already.
    const headers = { "x-api-key": client.secret, "content-length": String(40 * MEGABYTE) };
    const { origin } = several.gateway;
    const upload = start(origin, { path: paths.file, headers, body: "part" });
    await once(await arrived.promise, "data");
    upload.destroy();
    await untilRunning(several.gateway, 0);
    const { health } = several.gateway.order[0];
    expect(health.facts()).toMatchObject({ failures: 0, state: "closed" });
  });

  test("leaves an upstream out, and lets one upload try it again", async ({
    pair,
    openSeveral,
  }) => {
    let nowMs = 1_000_000;
    const several = await openSeveral(pair, { gateway: { databaseNowMs: () => nowMs } });
    pair[0].script = scripts["500"];
    pair[1].script = serve("file", "file_second");
    for (let i = 0; i < MAX_FAILURES_IN_ROW; i++) {
      expect((await create(several, "file")).status).toBe(500);
    }
    expect((await create(several, "file")).status).toBe(200);
    expect(several.counts()).toEqual([MAX_FAILURES_IN_ROW, 1]);
    expect(await findRow(several, "file")).toMatchObject({ failover: "circuit_open" });

    nowMs += OPEN_MS.least;
    const held = Promise.withResolvers<void>();
    pair[0].script = async (exchange) => {
      await held.promise;
      await serve("file", "file_first")(exchange);
    };
    const probe = create(several, "file");
    await eventually(5_000, "the attempt arrives", async () =>
      several.counts()[0] === MAX_FAILURES_IN_ROW + 1 ? true : null,
    );
    expect((await create(several, "file")).status).toBe(200);
    expect(several.counts()).toEqual([MAX_FAILURES_IN_ROW + 1, 2]);
    held.resolve();
    expect(JSON.parse((await probe).text).id).toBe("file_first");
    expect(several.gateway.order[0].health.facts().state).toBe("closed");
  });
});

test("a read of a large file is relayed whole while its upstream is left out", async ({
  pair,
  openSeveral,
}) => {
  const several = await openSeveral(pair);
  const id = newId("file");
  pair[0].script = serve("file", id);
  expect((await create(several, "file")).status).toBe(200);
  const { health } = several.gateway.order[0];
  for (let i = 0; i < MAX_FAILURES_IN_ROW; i++) health.noteFailure("test", Date.now());
  expect(health.facts().state).toBe("open");
  const content = Buffer.alloc(3 * MEGABYTE, "abc");
  pair[0].script = ({ response }) => void response.end(content);
  const answer = await open(several.gateway.origin, {
    method: "GET",
    path: `${paths.file}/${id}/content`,
    headers: { "x-api-key": several.client.secret },
  });
  const hash = createHash("sha256");
  for await (const chunk of answer) hash.update(chunk as Buffer);
  expect(hash.digest("hex")).toBe(createHash("sha256").update(content).digest("hex"));
  expect(health.facts().state).toBe("closed");
});

test("a container and a thread of a message belong to the upstream that answered", async ({
  pair,
  openSeveral,
  db,
}) => {
  const several = await openSeveral(pair);
  pair[0].script = scripts["529"];
  const message = {
    id: "msg_thread",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-5",
    content: [{ type: "text", text: "Hi" }],
    stop_reason: "end_turn",
    usage: { input_tokens: 10, output_tokens: 5 },
    container: { id: "container_moved", expires_at: "2036-01-01T00:00:00Z" },
  };
  pair[1].script = ({ json }) => json(message);
  const answer = await several.client.call({
    headers: { "anthropic-beta": "message-threads-2026-08-12" },
    body: JSON.stringify({
      model: "claude-sonnet-5",
      max_tokens: 100,
      messages: [{ role: "user", content: "Hi" }],
      thread: { type: "create" },
      tools: [{ type: "code_execution_20250825", name: "code_execution" }],
    }),
  });
  expect(answer.status).toBe(200);
  const rows = await eventually(5_000, "both are recorded", async () => {
    const found = await sql<{ kind: string; upstream_id: string; failover: string }>`
      SELECT kind, upstream_id, failover FROM upstream_object
      WHERE workspace_id = ${several.client.workspaceId} ORDER BY kind`.execute(db.database);
    return found.rows.length === 2 ? found.rows : null;
  });
  const source = { upstream_id: "ups_1", failover: "overloaded" };
  expect(rows).toEqual([
    { kind: "container", ...source },
    { kind: "thread", ...source },
  ]);
  pair[1].script = ({ json }) => json({ ...message, id: "msg_next" });
  const next = await several.client.call({
    body: JSON.stringify({
      model: "claude-sonnet-5",
      max_tokens: 100,
      messages: [{ role: "user", content: "Hi" }],
      container: "container_moved",
    }),
  });
  expect([next.status, several.counts()]).toEqual([200, [1, 2]]);
});
