import { setTimeout as delay } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import {
  type ServerProcess,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "#test/harness/server-process.ts";

// Message batches through the whole product, with the official SDK and the simulator.

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer();
});
afterAll(stopAllServers);

const BOUND_MS = 30_000;

function clientOf({ key }: WorkspaceWithKey): Anthropic {
  return new Anthropic({ baseURL: server.url, apiKey: key, maxRetries: 0 });
}

function requestsOf(count: number, model = "claude-sonnet-5") {
  return Array.from({ length: count }, (_, index) => ({
    custom_id: `line-${index}`,
    params: {
      model,
      max_tokens: 50,
      messages: [{ role: "user" as const, content: `Number ${index}` }],
    },
  }));
}

interface Row {
  state: string;
  lines: number;
  cost: string;
  hold: string;
}

async function readRow(batchId: string): Promise<Row | undefined> {
  const [row] = await server.sql<Row>(
    `SELECT state, metered_lines AS lines, cost_nano_usd::text AS cost, hold_nano_usd::text AS hold
     FROM message_batch WHERE upstream_batch_id = $1`,
    [batchId],
  );
  return row;
}

const metered = (batchId: string) =>
  eventually(BOUND_MS, "the batch is metered", async () => {
    const row = await readRow(batchId);
    return row?.state === "metered" ? row : null;
  });

async function ended(client: Anthropic, batchId: string) {
  return eventually(BOUND_MS, "the batch has ended", async () => {
    const batch = await client.messages.batches.retrieve(batchId);
    return batch.processing_status === "ended" ? batch : null;
  });
}

/** Sums the recorded lines of a batch. */
async function sumRecords(batchId: string) {
  const [sum] = await server.sql<{ requests: number; ids: number; cost: string }>(
    `SELECT count(*)::integer AS requests, count(DISTINCT request_id)::integer AS ids,
       coalesce(sum(cost_nano_usd), 0)::text AS cost
     FROM recorded_request WHERE upstream_request_id = $1`,
    [batchId],
  );
  return sum;
}

test("a batch runs from its creation to its deletion with the official SDK", async () => {
  const workspace = await server.workspaceWithKey();
  const client = clientOf(workspace);
  const created = await client.messages.batches.create({ requests: requestsOf(5) });
  expect(created).toMatchObject({ type: "message_batch", processing_status: "in_progress" });
  const batch = await ended(client, created.id);
  expect(batch.results_url).toBe(`${server.url}/v1/messages/batches/${created.id}/results`);
  expect(batch.request_counts.succeeded).toBe(5);

  let usageCost = 0;
  const ids = new Set<string>();
  for await (const { custom_id, result } of await client.messages.batches.results(created.id)) {
    ids.add(custom_id);
    if (result.type !== "succeeded") throw new Error(`the line is ${result.type}`);
    const { input_tokens, output_tokens, service_tier } = result.message.usage;
    expect(service_tier).toBe("batch");
    // $2 and $10 per million tokens, halved: nano-dollars.
    usageCost += (input_tokens * 2_000 + output_tokens * 10_000) / 2;
  }
  expect(ids.size).toBe(5);
  const row = await metered(created.id);
  expect(row).toMatchObject({ lines: 5, cost: String(usageCost) });
  const recorded = { requests: 5, ids: 5, cost: String(usageCost) };
  expect(await sumRecords(created.id)).toEqual(recorded);

  const listed = await client.messages.batches.list();
  expect(listed.data.map(({ id }) => id)).toEqual([created.id]);
  expect(await client.messages.batches.delete(created.id)).toEqual({
    id: created.id,
    type: "message_batch_deleted",
  });
  expect((await client.messages.batches.list()).data).toEqual([]);
  await expect(client.messages.batches.retrieve(created.id)).rejects.toMatchObject({ status: 404 });
});

test("a canceled batch keeps the cost of its finished lines and releases the rest", async () => {
  const workspace = await server.workspaceWithKey();
  const client = clientOf(workspace);
  const requests = requestsOf(4, "simulate-slow-60000");
  const created = await client.messages.batches.create({ requests });
  await client.messages.batches.cancel(created.id);
  await ended(client, created.id);
  expect(await metered(created.id)).toMatchObject({ lines: 4 });
  const held = await server.sql(
    "SELECT 1 FROM lease WHERE request_id LIKE 'batch:%' AND scope_id = $1",
    [workspace.workspaceId],
  );
  expect(held).toEqual([]);
});

test("pages of a list go both ways", async () => {
  const client = clientOf(await server.workspaceWithKey());
  const ids: string[] = [];
  for (let at = 0; at < 5; at++) {
    ids.unshift((await client.messages.batches.create({ requests: requestsOf(1) })).id);
    await delay(2);
  }
  const first = await client.messages.batches.list({ limit: 2 });
  expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(first.has_more).toBe(true);
  const second = await client.messages.batches.list({ limit: 2, after_id: ids[1] ?? "" });
  expect(second.data.map(({ id }) => id)).toEqual(ids.slice(2, 4));
  const back = await client.messages.batches.list({ limit: 2, before_id: ids[3] ?? "" });
  expect(back.data.map(({ id }) => id)).toEqual(ids.slice(1, 3));
  const all: string[] = [];
  for await (const { id } of client.messages.batches.list({ limit: 2 })) all.push(id);
  expect(all).toEqual(ids);
});

test("a repeated attempt with the same body is the same batch", async () => {
  const client = clientOf(await server.workspaceWithKey());
  const requests = requestsOf(2);
  const first = await client.messages.batches.create({ requests });
  const headers = { "x-stainless-retry-count": "1" };
  const repeated = await client.messages.batches.create({ requests }, { headers });
  expect(repeated.id).toBe(first.id);
  const other = await client.messages.batches.create({ requests: requestsOf(3) }, { headers });
  expect(other.id).not.toBe(first.id);
  expect((await client.messages.batches.list()).data).toHaveLength(2);
});

describe("another workspace", () => {
  test.for(["retrieve", "results", "cancel", "delete", "after_id", "before_id"] as const)(
    "gets the answer for an unknown id: %s",
    async (operation) => {
      const owner = clientOf(await server.workspaceWithKey());
      const other = clientOf(await server.workspaceWithKey());
      const { id } = await owner.messages.batches.create({ requests: requestsOf(1) });
      const call = async (batchId: string) => {
        const { batches } = other.messages;
        try {
          if (operation === "after_id" || operation === "before_id") {
            await batches.list({ [operation]: batchId });
          } else if (operation === "results") {
            await other.get(`/v1/messages/batches/${batchId}/results`);
          } else await batches[operation](batchId);
        } catch (error) {
          if (!(error instanceof Anthropic.APIError)) throw error;
          const text = JSON.stringify(error.error).replaceAll(batchId, "ID");
          return { status: error.status, text: text.replace(/"request_id":"[^"]*"/, "") };
        }
        return null;
      };
      const refused = await call(id);
      expect(refused).not.toBeNull();
      expect(refused).toEqual(await call("msgbatch_0123456789abcdefghijklmn"));
      expect((await other.messages.batches.list()).data).toEqual([]);
    },
  );
});

test.for(["after_id", "before_id"] as const)(
  "a list refuses a cursor that is no id, and names it: %s",
  async (cursor) => {
    const { messages } = clientOf(await server.workspaceWithKey());
    const listed = messages.batches.list({ [cursor]: "\0" });
    await expect(listed).rejects.toMatchObject({
      status: 400,
      error: { error: { details: { error_code: "invalid_cursor", fields: [{ path: cursor }] } } },
    });
  },
);

describe("a batch is refused", () => {
  test.for([
    ["with a stream", { stream: true }, "stream", "A request of a batch cannot stream."],
    ["without a model", { model: undefined }, "model", "Field required."],
    ["with fast mode", { speed: "fast" }, "speed", "A batch has no fast mode."],
  ] as const)("%s, with the place of the fault", async ([, params, field, reason]) => {
    const client = clientOf(await server.workspaceWithKey());
    const [first, second] = requestsOf(2);
    if (first === undefined || second === undefined) throw new Error("two requests are made");
    const broken = { ...second, params: { ...second.params, ...params } };
    const body = { requests: [first, broken] };
    const refusal = client.post("/v1/messages/batches", { body });
    const path = `requests.1.params.${field}`;
    await expect(refusal).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(`"${path}: `),
      error: { error: { details: { fields: [{ path, message: reason }] } } },
    });
    expect((await client.messages.batches.list()).data).toEqual([]);
  });

  test("with a container that its workspace does not have", async () => {
    const client = clientOf(await server.workspaceWithKey());
    const [request] = requestsOf(1);
    if (request === undefined) throw new Error("one request is made");
    const params = { ...request.params, container: "container_1" };
    const refusal = client.messages.batches.create({ requests: [{ ...request, params }] });
    await expect(refusal).rejects.toMatchObject({ status: 404 });
  });

  test("with a custom id twice", async () => {
    const client = clientOf(await server.workspaceWithKey());
    const requests = [...requestsOf(2), ...requestsOf(1)];
    await expect(client.messages.batches.create({ requests })).rejects.toMatchObject({
      status: 400,
      error: { error: { details: { fields: [{ path: "requests.2.custom_id" }] } } },
    });
  });

  test("above a strict limit, and nothing stays held", async () => {
    const workspace = await server.workspaceWithKey();
    await server.mustAdmin("POST", "/v1/admin/spend_limits", {
      scope: { type: "workspace", workspace_id: workspace.workspaceId },
      period: "monthly",
      limit_usd: "0.001",
      enforcement: "strict",
    });
    const client = clientOf(workspace);
    await expect(
      client.messages.batches.create({ requests: requestsOf(100) }),
    ).rejects.toMatchObject({ status: 400, type: "invalid_request_error" });
    const [count] = await server.sql<{ count: number }>(
      `SELECT count(*)::integer AS count FROM message_batch WHERE workspace_id = $1`,
      [workspace.workspaceId],
    );
    expect(count?.count).toBe(0);
  });
});

test("open-ended requests hold the amount that a limit has chosen for them, each", async () => {
  const workspace = await server.workspaceWithKey();
  const client = clientOf(workspace);
  const limit = {
    scope: { type: "workspace", workspace_id: workspace.workspaceId },
    period: "monthly",
    limit_usd: "0.5",
    enforcement: "strict",
  };
  await server.mustAdmin("POST", "/v1/admin/spend_limits", limit);
  const requests = requestsOf(3, "simulate-slow-60000").map((request) => ({
    ...request,
    params: {
      ...request.params,
      tools: [{ type: "web_search_20250305" as const, name: "web_search" as const }],
    },
  }));
  await expect(client.messages.batches.create({ requests })).rejects.toMatchObject({
    status: 400,
    error: { error: { details: { error_code: "request_too_large_for_limit" } } },
  });
  await server.mustAdmin("POST", "/v1/admin/spend_limits", {
    ...limit,
    open_ended_hold_usd: "0.1",
  });
  const created = await eventually(BOUND_MS, "the node follows the limit", () =>
    client.messages.batches.create({ requests }).catch(() => null),
  );
  const holdsOf = () =>
    server.sql<{ scope: string; held: string }>(
      `SELECT scope_type AS scope, amount_nano_usd::text AS held FROM lease
       WHERE request_id = (SELECT 'batch:' || id FROM message_batch WHERE upstream_batch_id = $1) AND period = 'monthly'
       ORDER BY scope_type`,
      [created.id],
    );
  expect(await holdsOf()).toEqual(
    ["api_key", "organization", "workspace"].map((scope) => ({ scope, held: "300000000" })),
  );
  await client.messages.batches.cancel(created.id);
  expect(await metered(created.id)).toMatchObject({ lines: 3, cost: "0", hold: "300000000" });
  expect(await holdsOf()).toEqual([]);
  const checked = await server.mustAdmin("GET", "/v1/admin/ledger_check");
  expect(checked).toMatchObject({ differences: [] });
});
