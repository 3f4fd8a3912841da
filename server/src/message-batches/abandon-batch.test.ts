import { describe, expect } from "vitest";
import { formatUsd } from "#src/domain/money.ts";
import type { Answer, Listed } from "#test/harness/admin.ts";
import { makeSentBatch } from "#test/harness/sent-batch.ts";
import { BATCHES, type Batch, test as base } from "#test/harness/shown-batch-test.ts";
import type { StandInAnswer } from "#test/harness/stand-in-upstream.ts";
import { toCancelingBatch } from "#test/harness/stand-in-upstream.ts";
import { markLost } from "./batches.sql.ts";

const REASON = "The account is closed.";

const test = base.extend(
  "abandon",
  ({ org }) =>
    (id: string, body: object = {}) =>
      org.admin.post<Batch>(`${BATCHES}/${id}/abandon`, { reason: REASON, ...body }),
);

const codeOf = ({ status, error }: Answer<unknown>) => [status, error.details?.error_code];

test("a batch at an upstream that is gone leaves its hold unresolved, and is audited", async ({
  h,
  org,
  owner,
  abandon,
}) => {
  h.clock.nowMs += 1_000;
  const startedAtMs = h.clock.nowMs;
  const batch = await makeSentBatch(h.deps.database, { lines: 2, startedAtMs, owner });
  await batch.run();
  const { id, upstreamBatchId } = batch;
  const abandoned = await abandon(upstreamBatchId);
  expect(abandoned).toMatchObject({ status: 200, body: { id, status: "unresolved" } });
  await batch.deps.fold();
  const { body } = await org.admin.get<Batch>(`${BATCHES}/${id}`);
  const unresolved_usd = formatUsd(batch.holdNanoUsd);
  expect(body).toMatchObject({ status: "unresolved", held_usd: "0.00", unresolved_usd });
  expect(await batch.check()).toEqual([]);
  const events = await org.admin.get<Listed<object>>("/v1/admin/audit_events?limit=1");
  const counts = { upstream_batch_id: upstreamBatchId, request_count: 2, recorded_requests: 0 };
  expect(events.body.data[0]).toMatchObject({
    event: "message_batch.abandoned",
    workspace_id: owner.workspaceId,
    before: { status: "in_progress", ...counts },
    after: { status: "unresolved", ...counts, reason: REASON, force: false },
  });
});

test("its upstream can be deleted afterwards", async ({ org, store, abandon }) => {
  const created = await org.operator.post<{ id: string }>("/v1/admin/upstreams", {
    name: "Closed account",
    base_url: "https://api.anthropic.com",
  });
  const { id: upstreamId } = created.body;
  const batches = [await store({ upstreamId }), await store({ upstreamId, status: "ended" })];
  const remove = () => org.operator.remove(`/v1/admin/upstreams/${upstreamId}`);
  for (const { id } of batches) {
    expect(codeOf(await remove())).toEqual([409, "upstream_in_use"]);
    expect((await abandon(id)).status).toBe(200);
  }
  expect((await remove()).status).toBe(200);
});

const describeEnded = (id: string) => ({
  ...toCancelingBatch(id),
  processing_status: "ended",
  ended_at: "2026-11-20T12:00:00Z",
});
const refused = { status: 401, body: { error: { message: "invalid x-api-key" } } };
const unknown = { status: 404, body: {} };
const away = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
/** Answers about a batch and about its results. */
const withResults =
  (results: StandInAnswer) =>
  (id: string, path: string): StandInAnswer =>
    path.endsWith("/results") ? results : { status: 200, body: describeEnded(id) };

describe("a running batch", () => {
  test.for([
    ["runs it", (id: string) => ({ status: 200, body: toCancelingBatch(id) })],
    ["has its results", withResults({ status: 200, body: {} })],
  ] as const)(
    "is not abandoned while its upstream %s",
    async ([, answer], { standIn, org, store, abandon }) => {
      const { id, upstreamBatchId } = await store();
      standIn.answer = ({ path }) => answer(upstreamBatchId, path);
      expect(codeOf(await abandon(id))).toEqual([409, "batch_readable"]);
      expect((await org.admin.get<Batch>(`${BATCHES}/${id}`)).body.status).toBe("in_progress");
      standIn.received.length = 0;
      expect((await abandon(id, { force: true })).body.status).toBe("ended");
      expect(standIn.received).toEqual([]);
    },
  );

  test.for([
    ["refuses", () => refused],
    ["does not know it", () => unknown],
    ["is away", () => away],
    ["has lost its results", withResults(unknown)],
    ["refuses its results", withResults(refused)],
    ["answers something else", () => ({ status: 200, body: { id: 1 } })],
  ] as const)(
    "is abandoned if its upstream %s",
    async ([, answer], { standIn, store, abandon }) => {
      const { id, upstreamBatchId } = await store();
      standIn.answer = ({ path }) => answer(upstreamBatchId, path);
      const abandoned = await abandon(id);
      // No balance holds the rows of this test.
      expect(abandoned).toMatchObject({ status: 200, body: { status: "ended" } });
    },
  );
});

describe("a batch without an answer", () => {
  test("is not abandoned while a process waits for the answer", async ({ store, abandon }) => {
    const { id } = await store({ state: "sent", upstreamId: "ups_deleted" });
    expect(codeOf(await abandon(id))).toEqual([409, "batch_in_progress"]);
    expect(codeOf(await abandon(id, { force: true }))).toEqual([409, "batch_in_progress"]);
  });

  test("is not abandoned while its upstream can be searched", async ({
    h,
    standIn,
    store,
    abandon,
  }) => {
    const { id } = await store({ state: "sent" });
    await markLost(h.deps.database, id);
    standIn.answer = () => ({ status: 200, body: { data: [], has_more: false } });
    expect(codeOf(await abandon(id))).toEqual([409, "batch_readable"]);
    standIn.answer = () => refused;
    expect((await abandon(id)).body.status).toBe("ended");
  });
});

test.for([{ state: "preparing" }, { state: "held" }] as const)(
  "a batch of which nothing was sent is not abandoned: %o",
  async (batch, { standIn, store, abandon }) => {
    const { id } = await store(batch);
    const answer = await abandon(id, { force: true });
    expect(codeOf(answer)).toEqual([409, "batch_not_running"]);
    expect(answer.error.message).toContain("does not have this message batch");
    expect(standIn.received).toEqual([]);
  },
);

test("a repeated call with the same claim gets its answer, and any other a 409", async ({
  org,
  store,
  abandon,
}) => {
  const { id } = await store({ upstreamId: "ups_deleted" });
  const send = () =>
    org.admin.send<Batch>({
      method: "POST",
      url: `${BATCHES}/${id}/abandon`,
      headers: { "idempotency-key": "abandon-once" },
      payload: { reason: REASON },
    });
  const first = await send();
  expect(first.status).toBe(200);
  expect(await send()).toMatchObject({ status: 200, body: first.body });
  const second = await abandon(id);
  expect(codeOf(second)).toEqual([409, "batch_not_running"]);
  expect(second.error.message).toContain("is recorded already");
});

test("an administrator of the workspace alone cannot abandon its batches", async ({
  org,
  workspaceId,
  store,
}) => {
  const { client } = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
  const { id } = await store({ upstreamId: "ups_deleted" });
  const answer = await client.post(`${BATCHES}/${id}/abandon`, { reason: REASON });
  expect(answer.status).toBe(403);
});
