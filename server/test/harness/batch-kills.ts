import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { type BatchStep, type BatchUpstream, LINE_COST_NANO_USD } from "./batch-upstream.ts";
import { eventually, withinBound } from "./eventually.ts";
import type { ServerProcess, WorkspaceWithKey } from "./server-process.ts";

// Kills the server with `kill -9` while it creates or meters a batch, and then counts its money.

/** A moment at which the server is killed. */
export interface KillPoint {
  step: BatchStep;
  /** Occurrence of the step. */
  count: number;
}

/** Catches hangs only. A batch of 10,000 lines beside other load takes half a minute to a step. */
const STEP_MS = 120_000;
const SETTLED_MS = 120_000;

export function makeBody(lines: number, round: number): string {
  return JSON.stringify({
    requests: Array.from({ length: lines }, (_, index) => ({
      custom_id: `round-${round}-${index}`,
      params: {
        model: "claude-sonnet-5",
        max_tokens: 10,
        messages: [{ role: "user", content: `Number ${index}` }],
      },
    })),
  });
}

/** Attempts of the official SDKs. */
const ATTEMPTS = 3;

/** Sends a batch as the official SDKs do. Rejects with a refusal or a broken connection, and never resolves. */
export async function sendBatch(
  server: ServerProcess,
  { key }: WorkspaceWithKey,
  body: string,
): Promise<never> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${server.url}/v1/messages/batches`, {
      method: "POST",
      headers: { "x-api-key": key, "content-type": "application/json" },
      body,
    });
    if (response.ok) return new Promise(() => undefined);
    const refusal = `${response.status} ${await response.text()}`;
    const isPassing = response.status === 429 || response.status === 503;
    if (!isPassing || attempt === ATTEMPTS) throw new Error(`the batch was refused: ${refusal}`);
    await delay(Number(response.headers.get("retry-after") ?? 1) * 1_000);
  }
}

/** Sends a batch, kills the server at the moment, and starts it again. */
export async function killAt(
  server: ServerProcess,
  of: { upstream: BatchUpstream; workspace: WorkspaceWithKey; body: string; point: KillPoint },
): Promise<ServerProcess> {
  const { upstream, workspace, body, point } = of;
  const reached = upstream.stopAt(point.step, point.count);
  const sent = sendBatch(server, workspace, body);
  await withinBound(Promise.race([reached, sent]), STEP_MS, `step ${point.step} ${point.count}`);
  await server.kill();
  upstream.release();
  return server.restart();
}

export interface Money {
  settled: bigint;
  leased: bigint;
  unresolved: bigint;
}

/** Amounts of the workspace in this month. */
export async function readMoney(server: ServerProcess, workspaceId: string): Promise<Money> {
  const [row] = await server.sql<{ settled: string; leased: string; unresolved: string }>(
    `SELECT settled_nano_usd::text AS settled, leased_nano_usd::text AS leased, unresolved_nano_usd::text AS unresolved
     FROM balance_sum WHERE scope_id = $1 AND period = 'monthly'`,
    [workspaceId],
  );
  const { settled = "0", leased = "0", unresolved = "0" } = row ?? {};
  return { settled: BigInt(settled), leased: BigInt(leased), unresolved: BigInt(unresolved) };
}

/**
 * Waits until every batch of the upstream is metered, and expects each of its lines recorded once, at half price. Holds of
 * batches that never reached the upstream remain, and are unresolved after a quarter of an hour. Returns their sum.
 */
export async function expectExactCost(
  server: ServerProcess,
  upstream: BatchUpstream,
  { workspaceId }: WorkspaceWithKey,
): Promise<bigint> {
  const lines = [...upstream.batches.values()].reduce((sum, ids) => sum + ids.length, 0);
  await eventually(SETTLED_MS, "all batches of the upstream are metered", async () => {
    const metered = await server.sql(`SELECT id FROM message_batch WHERE state = 'metered'`);
    const waiting = await server.sql(
      `SELECT id FROM message_batch WHERE state IN ('preparing', 'held', 'running')`,
    );
    return metered.length === upstream.batches.size && waiting.length === 0 ? true : null;
  });
  // The record of an unresolved batch has the id of the batch itself.
  const [recorded] = await server.sql<{ requests: number; ids: number; cost: string }>(
    `SELECT count(*)::integer AS requests, count(DISTINCT request_id)::integer AS ids,
       coalesce(sum(cost_nano_usd), 0)::text AS cost FROM recorded_request
     WHERE workspace_id = $1 AND request_id NOT IN (SELECT id FROM message_batch)`,
    [workspaceId],
  );
  const cost = BigInt(lines) * LINE_COST_NANO_USD;
  expect(recorded).toEqual({ requests: lines, ids: lines, cost: String(cost) });
  const [held] = await server.sql<{ hold: string }>(
    `SELECT coalesce(sum(hold_nano_usd), 0)::text AS hold FROM message_batch
     WHERE state IN ('sent', 'unresolved')`,
  );
  const hold = BigInt(held?.hold ?? "0");
  const nodes = await server.sql<{ amount: string }>(
    `SELECT coalesce(sum(amount_nano_usd), 0)::text AS amount FROM lease_left
     WHERE request_id = '' AND scope_id = $1 AND period = 'monthly'`,
    [workspaceId],
  );
  const { settled, leased, unresolved } = await readMoney(server, workspaceId);
  const unanswered = leased - BigInt(nodes[0]?.amount ?? "0") + unresolved;
  expect({ settled, unanswered }).toEqual({ settled: cost, unanswered: hold });
  return hold;
}
