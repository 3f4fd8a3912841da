import { describe, expect } from "vitest";
import { formatUsd } from "#src/domain/money.ts";
import type { Listed, TestOrganization } from "#test/harness/admin.ts";
import { makeSentBatch } from "#test/harness/sent-batch.ts";
import { BATCHES, type Batch, test as base } from "#test/harness/shown-batch-test.ts";
import { toCancelingBatch } from "#test/harness/stand-in-upstream.ts";
import { recordUnknownBatch } from "./meter-batch.ts";

const test = base.extend(
  "list",
  ({ org }) =>
    (query = "") =>
      listBatches(org, query),
);

async function listBatches({ admin }: TestOrganization, query: string): Promise<Batch[]> {
  return (await admin.get<Listed<Batch>>(`${BATCHES}?${query}`)).body.data;
}

describe("list", () => {
  test("shows each state with names, counts and amounts, newest first", async ({
    owner,
    store,
    list,
  }) => {
    await store({ state: "preparing" });
    await store({ state: "held" });
    await store({ state: "sent" });
    await store({ status: "canceling" });
    await store({ status: "ended" });
    const { id, upstreamBatchId } = await store();
    const batches = await list();
    const statuses = batches.map(({ status }) => status);
    expect(statuses).toEqual(["in_progress", "recording", "canceling", "sent", "held", "arriving"]);
    expect(batches[0]).toEqual({
      id,
      type: "message_batch",
      upstream_batch_id: upstreamBatchId,
      status: "in_progress",
      workspace_id: owner.workspaceId,
      workspace_name: expect.any(String),
      api_key_id: owner.apiKeyId,
      api_key_name: "Nightly",
      member_id: null,
      upstream_id: null,
      failover: null,
      is_simulated: true,
      request_count: 3,
      recorded_requests: 0,
      request_counts: { processing: 2, succeeded: 1, errored: 0, canceled: 0, expired: 0 },
      cost_usd: "0.00",
      hold_usd: "0.003",
      held_usd: "0.00",
      unresolved_usd: "0.00",
      created_at: expect.any(String),
      ended_at: null,
      expires_at: expect.any(String),
    });
    expect(batches.at(-1)).toMatchObject({ upstream_batch_id: null, request_counts: null });
  });

  test("filters by workspace, key, upstream, status and time, and pages by a cursor", async ({
    h,
    org,
    store,
    list,
  }) => {
    const { id: otherWorkspace } = await org.admin.createWorkspace();
    const otherKey = await org.admin.createApiKey(otherWorkspace);
    const first = await store();
    const second = await store({ state: "sent", upstreamId: "ups_reserve" });
    const atMs = h.clock.nowMs;
    const third = await store({}, { workspaceId: otherWorkspace, apiKeyId: otherKey.id });
    const ids = async (query: string) => (await list(query)).map(({ id }) => id);
    expect(await ids(`workspace_id=${otherWorkspace}`)).toEqual([third.id]);
    expect(await ids(`api_key_id=${otherKey.id}`)).toEqual([third.id]);
    expect(await ids("upstream_id=ups_reserve")).toEqual([second.id]);
    expect(await ids("status=sent,held")).toEqual([second.id]);
    const time = new Date(atMs).toISOString();
    expect(await ids(`starting_at=${time}`)).toEqual([third.id, second.id]);
    expect(await ids(`ending_at=${time}`)).toEqual([first.id]);
    const { body } = await org.admin.get<Listed<Batch>>(`${BATCHES}?limit=2`);
    expect(body.data.map(({ id }) => id)).toEqual([third.id, second.id]);
    expect(await ids(`limit=2&page=${body.next_page}`)).toEqual([first.id]);
    const refused = await org.admin.get(`${BATCHES}?workspace_id=wksp_unknown`);
    expect(refused.status).toBe(404);
  });

  test("shows nothing of another organization, and of other keys to their owner only", async ({
    h,
    standIn,
    org,
    workspaceId,
    store,
  }) => {
    const workspaces = { [workspaceId]: "workspace_user" } as const;
    const member = await org.member({ workspaces });
    const own = await org.admin.createApiKey(workspaceId, { owner_member_id: member.id });
    const foreign = await store();
    const { id } = await store({}, { apiKeyId: own.id });
    const listed = await member.client.get<Listed<Batch>>(BATCHES);
    expect(listed.body.data.map((batch) => batch.id)).toEqual([id]);
    expect((await member.client.get(`${BATCHES}/${foreign.id}`)).status).toBe(404);
    expect((await member.client.get(`${BATCHES}/${id}`)).status).toBe(200);
    // The workspace is the member's, and the right to change it is not.
    expect((await member.client.post(`${BATCHES}/${id}/cancel`)).status).toBe(403);
    const other = await h.organization();
    expect(await listBatches(other, "")).toEqual([]);
    expect((await other.admin.get(`${BATCHES}/${id}`)).status).toBe(404);
    expect((await other.admin.post(`${BATCHES}/${id}/cancel`)).status).toBe(404);
    expect(standIn.received).toEqual([]);
  });
});

test.for(["release", "charge"])(
  "a batch without an answer is unresolved until an administrator decides: %s",
  async (decision, { h, org, owner, store, list }) => {
    const { id: otherId } = await store({ state: "sent" });
    const startedAtMs = h.clock.nowMs + 1_000;
    const sent = await makeSentBatch(h.deps.database, { lines: 2, startedAtMs, owner });
    const { id } = sent;
    await recordUnknownBatch(sent.deps, await sent.find());
    const unresolved_usd = formatUsd(sent.holdNanoUsd);
    const shown = { id, status: "unresolved", unresolved_usd, held_usd: "0.00" };
    expect(await list("status=unresolved")).toMatchObject([shown]);
    expect(await list("status=sent")).toMatchObject([{ id: otherId }]);
    const { body } = await org.admin.get<Listed<{ id: string }>>("/v1/admin/unresolved_spend");
    const path = `/v1/admin/unresolved_spend/${body.data[0]?.id}/resolve`;
    const resolved = await org.admin.post(path, { decision, reason: "The invoice says so." });
    expect(resolved.status).toBe(200);
    expect(await list("status=unresolved")).toEqual([]);
    expect(await list("status=ended")).toMatchObject([{ id, unresolved_usd: "0.00" }]);
  },
);

test("a batch is found by both of its ids", async ({ org, store }) => {
  const { id, upstreamBatchId } = await store();
  for (const each of [id, upstreamBatchId]) {
    const { body } = await org.admin.get<Batch>(`${BATCHES}/${each}`);
    expect(body).toMatchObject({ id, upstream_batch_id: upstreamBatchId });
  }
});

describe("cancel", () => {
  test("asks the upstream, and shows and audits the new state", async ({ standIn, org, store }) => {
    const { id, upstreamBatchId } = await store();
    const { status, body } = await org.admin.post<Batch>(`${BATCHES}/${id}/cancel`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, status: "canceling" });
    expect(standIn.received).toEqual([`POST /v1/messages/batches/${upstreamBatchId}/cancel`]);
    const events = await org.admin.get<Listed<{ event: string; before: object; after: object }>>(
      "/v1/admin/audit_events?limit=1",
    );
    expect(events.body.data[0]).toMatchObject({
      event: "message_batch.canceled",
      before: { status: "in_progress" },
      after: { status: "canceling" },
    });
  });

  test("by two calls is audited once", async ({ org, store }) => {
    const { id } = await store();
    for (let at = 0; at < 2; at++) {
      expect((await org.admin.post(`${BATCHES}/${id}/cancel`)).status).toBe(200);
    }
    const events = await org.admin.get<Listed<{ event: string }>>("/v1/admin/audit_events?limit=5");
    const names = events.body.data.map(({ event }) => event);
    expect(names.filter((event) => event === "message_batch.canceled")).toHaveLength(1);
  });

  test.for([{ state: "held" }, { state: "sent" }, { status: "ended" }] as const)(
    "refuses a batch that does not run: %o",
    async (batch, { standIn, org, store }) => {
      const { id } = await store(batch);
      const refused = await org.admin.post(`${BATCHES}/${id}/cancel`);
      expect(refused.status).toBe(409);
      expect(refused.error.details?.error_code).toBe("batch_not_running");
      expect(standIn.received).toEqual([]);
    },
  );

  test("a repeated call with the same claim gets its answer after the end of the batch", async ({
    standIn,
    org,
    store,
  }) => {
    const { id, upstreamBatchId } = await store();
    const ended_at = "2026-11-20T12:00:00Z";
    const body = { ...toCancelingBatch(upstreamBatchId), processing_status: "ended", ended_at };
    standIn.answer = () => ({ status: 200, body });
    const send = () =>
      org.admin.send<Batch>({
        method: "POST",
        url: `${BATCHES}/${id}/cancel`,
        headers: { "idempotency-key": "cancel-once" },
      });
    const first = await send();
    expect(first.body.status).toBe("recording");
    expect(await send()).toMatchObject({ status: 200, body: first.body });
    expect((await org.admin.post(`${BATCHES}/${id}/cancel`)).status).toBe(409);
  });

  test.for([
    ["refuses", { status: 401, body: { error: { message: "invalid x-api-key" } } }, 502],
    ["is overloaded", { status: 529, body: {} }, 502],
    ["does not know it", { status: 404, body: {} }, 502],
    ["answers something else", { status: 200, body: { id: 1 } }, 502],
    ["is away", Object.assign(new Error("refused"), { code: "ECONNREFUSED" }), 502],
  ] as const)(
    "changes nothing if the upstream %s",
    async ([, answer, status], { standIn, org, store }) => {
      const { id } = await store();
      standIn.answer = () => answer;
      const refused = await org.admin.post(`${BATCHES}/${id}/cancel`);
      expect(refused.status).toBe(status);
      expect(refused.text).not.toContain("credential-of-the-stand-in");
      expect((await org.admin.get<Batch>(`${BATCHES}/${id}`)).body.status).toBe("in_progress");
    },
  );

  test("needs the upstream of the batch", async ({ org, store }) => {
    const { id } = await store({ upstreamId: "ups_deleted" });
    const refused = await org.admin.post(`${BATCHES}/${id}/cancel`);
    expect(refused.status).toBe(503);
    expect(refused.error.details?.error_code).toBe("upstream_unusable");
  });
});
