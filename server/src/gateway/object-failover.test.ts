import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import type { Socket } from "node:net";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { MAX_FAILURES_IN_ROW, OPEN_MS } from "#src/upstreams/upstream-health.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type FakeUpstream, type Script, startFakeUpstream } from "#test/harness/fake-upstream.ts";
import { type Answer, open, start } from "#test/harness/gateway.ts";
import { untilRunning } from "#test/harness/gateway-calls.ts";
import { type Several, test } from "#test/harness/object-failover-test.ts";
import { listenTcp } from "#test/harness/raw-upstream.ts";

// Calls about stored objects at several upstreams. The logs of the stand-ins show which of them got a request.

const MEGABYTE = 1024 * 1024;

const refuse =
  (status: number, type: string): Script =>
  ({ json }) =>
    json({ type: "error", error: { type, message: "no" } }, { status });
/** Upstreams that get a request, and do not answer it with success. */
const scripts = {
  reset: ({ reset }) => reset(),
  hang: () => undefined,
  "500": refuse(500, "api_error"),
  "400": refuse(400, "invalid_request_error"),
  "429": refuse(429, "rate_limit_error"),
  "529": refuse(529, "overloaded_error"),
} satisfies Record<string, Script>;

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

let ids = 0;
/** The first workspace with an id keeps it, so each test has its own ids. */
function newId(kind: string): string {
  ids += 1;
  return `${kind}_${ids}`;
}

const kinds = ["file", "skill", "batch"] as const;
type Kind = (typeof kinds)[number];
const paths = { file: "/v1/files", skill: "/v1/skills", batch: "/v1/messages/batches" };
const requests = [
  {
    custom_id: "one",
    params: {
      model: "claude-sonnet-5",
      max_tokens: 5,
      messages: [{ role: "user", content: "Hi" }],
    },
  },
];
const bodies: Record<Kind, string> = {
  file: "a file",
  skill: "a skill",
  batch: JSON.stringify({ requests }),
};

const describeObject = (kind: Kind, id: string) =>
  kind === "batch"
    ? {
        id,
        type: "message_batch",
        processing_status: "in_progress",
        request_counts: { processing: 1 },
        created_at: new Date().toISOString(),
        results_url: null,
      }
    : { id, type: kind, created_at: new Date().toISOString() };

/** Creates one object of the kind, and describes it. */
const serve =
  (kind: Kind, id: string): Script =>
  ({ json }) =>
    json(describeObject(kind, id));

const create = ({ client }: Several, kind: Kind, body: string | Buffer = bodies[kind]) =>
  client.call({
    path: paths[kind],
    headers: { "content-length": String(Buffer.byteLength(body)) },
    body,
  });

/** Row of the newest object of the workspace. */
async function findRow({ db, client }: Several, kind: Kind) {
  const isBatch = kind === "batch";
  const table = sql.table(isBatch ? "message_batch" : "upstream_object");
  const newest = sql.ref(isBatch ? "started_at" : "created_at");
  const id = sql.ref(isBatch ? "upstream_batch_id" : "id");
  const state = isBatch ? sql`state` : sql`'running'`;
  const { rows } = await sql<Row>`
    SELECT ${id} AS id, upstream_id AS upstream, failover, ${state} AS state FROM ${table}
    WHERE workspace_id = ${client.workspaceId} ORDER BY ${newest} DESC LIMIT 1`.execute(
    db.database,
  );
  return rows[0] ?? null;
}

interface Row {
  id: string | null;
  upstream: string;
  failover: string | null;
  state: string;
}

/** For tests in which no upstream is silent. */
const patient = { gateway: { idleTimeoutMs: 30_000 } };

const codeOf = ({ text }: Answer) => JSON.parse(text).error.details?.error_code;
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

test("a batch whose move to the next upstream cannot be stored is sent to no other", async ({
  pair,
  openSeveral,
  db,
}) => {
  const several = await openSeveral(pair, patient);
  pair[0].script = async (exchange) => {
    // The recovery of another process has taken the batch.
    await sql`UPDATE message_batch SET node_id = '' WHERE state = 'sent'
      AND workspace_id = ${several.client.workspaceId}`.execute(db.database);
    await scripts["429"](exchange);
  };
  const answer = await create(several, "batch");
  expect(answer.status).toBe(429);
  expect(several.counts()).toEqual([1, 0]);
});

test("a batch whose upstream was deleted while it arrived is sent nowhere, and holds nothing", async ({
  pair,
  openSeveral,
  db,
}) => {
  const several = await openSeveral(pair);
  await sql`DELETE FROM upstream WHERE id = 'ups_0'`.execute(db.database);
  const answer = await create(several, "batch");
  expect([answer.status, codeOf(answer)]).toEqual([503, "upstream_unusable"]);
  expect(several.counts()).toEqual([0, 0]);
  expect(await findRow(several, "batch")).toMatchObject({ state: "refused" });
});

test("a batch whose upstream lost its credential is kept, and each call about it gets a 503", async ({
  pair,
  openSeveral,
  db,
}) => {
  const id = newId("batch");
  pair[0].script = serve("batch", id);
  const several = await openSeveral(pair, patient);
  expect((await create(several, "batch")).status).toBe(200);
  const { gateway, client } = several;
  const [first, second] = gateway.order;
  if (second === undefined) throw new Error("the order has two upstreams");
  gateway.order = [second];
  const ask = (method: string, rest = "") => {
    const body = method === "POST" ? { body: "{}" } : {};
    return client.call({ method, path: `${paths.batch}/${id}${rest}`, ...body });
  };
  // Recorded batches alone can be deleted.
  await sql`UPDATE message_batch SET state = 'metered' WHERE upstream_batch_id = ${id}`.execute(
    db.database,
  );
  const answers = [
    await ask("GET"),
    await ask("GET", "/results"),
    await ask("POST", "/cancel"),
    await ask("DELETE"),
  ];
  for (const answer of answers) {
    expect([answer.status, codeOf(answer)]).toEqual([503, "upstream_unusable"]);
  }
  expect(several.counts()).toEqual([1, 0]);
  gateway.order = [first, second];
  expect((await ask("GET")).status).toBe(200);
});

test("an archived batch is listed, and its upstream answers for its results", async ({
  pair,
  openSeveral,
}) => {
  const id = newId("batch");
  const archived = { ...describeObject("batch", id), processing_status: "ended" };
  const object = { ...archived, archived_at: "2026-10-30T00:00:00Z", results_url: null };
  pair[0].script = ({ json }) => json(object);
  const several = await openSeveral(pair, patient);
  expect((await create(several, "batch")).status).toBe(200);
  const { call } = several.client;
  const get = await call({ method: "GET", path: `${paths.batch}/${id}` });
  expect(JSON.parse(get.text)).toEqual(object);
  const list = await call({ method: "GET", path: paths.batch });
  expect(JSON.parse(list.text)).toMatchObject({ data: [object] });
  const error = { type: "not_found_error", message: "The results are no longer available." };
  const body = { type: "error", error, request_id: "req_upstream" };
  pair[0].script = ({ json }) => json(body, { status: 404 });
  const results = await call({ method: "GET", path: `${paths.batch}/${id}/results` });
  expect([results.status, results.text]).toEqual([404, JSON.stringify(body)]);
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
