import { sql } from "kysely";
import { expect } from "vitest";
import {
  codeOf,
  create,
  describeObject,
  findRow,
  newId,
  paths,
  scripts,
  serve,
  test,
} from "#test/harness/object-failover-test.ts";

// A batch whose upstream changes while the batch arrives, runs or is archived.

/** No upstream of these tests is silent. */
const patient = { gateway: { idleTimeoutMs: 30_000 } };

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
