import { randomUUID } from "node:crypto";
import type { Database } from "#src/db/pool.ts";
import { settleBatch } from "#src/ledger/leases.sql.ts";
import { listUnresolved } from "#src/ledger/unresolved.sql.ts";
import { insertUsageEvents } from "#src/metering/usage.sql.ts";
import { toUsageEvent } from "#src/metering/usage-rows.ts";
import { endRecord } from "./usage-records.ts";

const NODE_ID = "node_of_the_test";
const nothing = { input: 0n, cacheWrite5m: 0n, cacheWrite1h: 0n, cacheRead: 0n, output: 0n };

/** A request that was sent and of whose end nobody knows, as the flush leaves it. Gives its id and the item's. */
export async function leaveUnresolved(
  database: Database,
  of: { organizationId: string; workspaceId: string; apiKeyId: string },
  { startedAtMs, holdNanoUsd }: { startedAtMs: number; holdNanoUsd: bigint },
): Promise<{ requestId: string; id: string }> {
  const requestId = `req_${randomUUID()}`;
  const record = endRecord({
    ...of,
    requestId,
    startedAtMs,
    outcome: "interrupted",
    httpStatus: null,
    holdNanoUsd,
    cost: { ...nothing, webSearch: 0n, total: 0n },
  });
  await database
    .insertInto("node")
    .values({ id: NODE_ID, journal_id: "journal", version: "0" })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await database.transaction().execute(async (tx) => {
    await insertUsageEvents(tx, [toUsageEvent(record, NODE_ID)]);
    await settleBatch(tx, NODE_ID, [record], { atMs: startedAtMs });
  });
  const items = await listUnresolved(database, {
    organizationId: of.organizationId,
    from: null,
    limit: 1_000,
  });
  const item = items.find((each) => each.requestId === requestId);
  if (item === undefined) throw new Error("what is left unresolved is listed");
  return { requestId, id: item.id };
}
