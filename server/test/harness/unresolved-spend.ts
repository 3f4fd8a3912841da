import { randomUUID } from "node:crypto";
import type { Database } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { noCost } from "#src/domain/usage.ts";
import { newId } from "#src/lib/ids.ts";
import { insertUsageEvents } from "#src/recording/usage.sql.ts";
import { listUnresolved } from "#src/spend/ledger/unresolved.sql.ts";
import { settleRecords } from "./folds.ts";
import { endRecord } from "./usage-records.ts";

const NODE_ID = "node_of_the_test";

/** Creates a sent request with an unknown end, as the flush does. Returns the ids of the request and of the item. */
export async function createUnresolvedSpend(
  database: Database,
  of: { organizationId: string; workspaceId: string; apiKeyId: string },
  { startedAtMs, holdNanoUsd }: { startedAtMs: number; holdNanoUsd: bigint },
): Promise<{ requestId: string; id: string }> {
  const requestId = newId("req_", startedAtMs);
  const record = endRecord({
    ...of,
    requestId,
    startedAtMs,
    outcome: "interrupted",
    httpStatus: null,
    holdNanoUsd,
    cost: noCost,
  });
  await settleRecord(database, record);
  const items = await listUnresolved(database, {
    organizationId: of.organizationId,
    from: null,
    limit: 1_000,
  });
  const item = items.find((each) => each.requestId === requestId);
  if (item === undefined) throw new Error("the item is listed as unresolved");
  return { requestId, id: item.id };
}

/** Records a request and settles it in all balances, as the flush and the fold do. */
export async function settleRecord(database: Database, record: EndRecord): Promise<void> {
  await database
    .insertInto("node")
    .values({ id: NODE_ID, journal_id: "journal", version: "0" })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await database.transaction().execute(async (tx) => {
    await insertUsageEvents(tx, { nodeId: NODE_ID, records: [record] });
    await settleRecords(tx, NODE_ID, [record], { atMs: record.startedAtMs });
  });
}

const HOUR_MS = 3_600_000;

/**
 * Creates budget of the workspace's month that a fenced node holds. The node was silent for an hour. Returns the
 * node's id.
 */
export async function createSilentNode(
  database: Database,
  of: { organizationId: string; workspaceId: string; sinceMs: number; requestId?: string },
  amountNanoUsd = 500_000_000n,
): Promise<string> {
  const { organizationId, workspaceId, sinceMs, requestId = "" } = of;
  const nodeId = `node_${randomUUID()}`;
  const seenAt = new Date(Date.now() - HOUR_MS);
  await database
    .insertInto("node")
    .values({ id: nodeId, journal_id: "journal", version: "0", seen_at: seenAt })
    .execute();
  const key = {
    scope_type: "workspace",
    scope_id: workspaceId,
    period: "monthly",
    period_start: periodOf("monthly", sinceMs).start,
    organization_id: organizationId,
  } as const;
  await database
    .insertInto("lease")
    .values({
      ...key,
      node_id: nodeId,
      request_id: requestId,
      amount_nano_usd: amountNanoUsd,
      unresolved_since: new Date(sinceMs),
    })
    .execute();
  await database
    .insertInto("balance")
    .values({ ...key, unresolved_nano_usd: amountNanoUsd })
    .onConflict((conflict) =>
      conflict.columns(["scope_type", "scope_id", "period", "period_start"]).doUpdateSet((eb) => ({
        unresolved_nano_usd: eb("balance.unresolved_nano_usd", "+", amountNanoUsd),
      })),
    )
    .execute();
  return nodeId;
}
