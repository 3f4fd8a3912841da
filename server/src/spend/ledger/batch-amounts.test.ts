import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { test } from "#test/harness/database-test.ts";
import { findBatchAmounts } from "./batch-amounts.sql.ts";
import { BATCHES_NODE } from "./batches-node.ts";

test("the amounts of a batch are its hold and what is unresolved of it and its lines, each once", async ({
  db: { database },
}) => {
  const organizationId = randomUUID();
  await database
    .insertInto("organization")
    .values({ id: organizationId, name: "Batches" })
    .execute();
  const insert = (
    request_id: string,
    amount_nano_usd: bigint,
    others: { scope_id?: string; node_id?: string; unresolved_since?: Date } = {},
  ) =>
    database
      .insertInto("lease")
      .values({
        node_id: BATCHES_NODE,
        request_id,
        scope_type: "workspace",
        scope_id: "wksp_1",
        period: "monthly",
        period_start: "2026-11-01",
        organization_id: organizationId,
        amount_nano_usd,
        ...others,
      })
      .execute();
  const unresolved_since = new Date("2026-11-20T12:00:00Z");
  const [first, second, none] = ["req_first0", "req_second", "req_none00"];
  await insert(`batch:${first}`, 70n);
  // A limit that holds less than the highest cost of a line.
  await insert(`batch:${first}`, 50n, { scope_id: "wksp_2" });
  await insert(`${first}_3`, 5n, { unresolved_since });
  await insert(`${first}_3`, 5n, { unresolved_since, scope_id: "wksp_2" });
  await insert(`${first}_30`, 7n, { unresolved_since });
  await insert(second, 900n, { unresolved_since });
  // Neither a request of a batch nor a hold of another node belongs to it.
  await insert("req_first0", 11n, { unresolved_since, node_id: "node_1" });
  await insert("batch:req_other0", 13n);
  const ids = [first, second, none];
  expect(await findBatchAmounts(database, { organizationId, ids })).toEqual(
    new Map([
      [first, { heldNanoUsd: 70n, unresolvedNanoUsd: 12n }],
      [second, { heldNanoUsd: 0n, unresolvedNanoUsd: 900n }],
    ]),
  );
  expect(await findBatchAmounts(database, { organizationId: randomUUID(), ids })).toEqual(
    new Map(),
  );
  expect(await findBatchAmounts(database, { organizationId, ids: [] })).toEqual(new Map());
});
