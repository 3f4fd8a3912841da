import type { forgetNode, listNodes, system } from "@bursar/contract/admin/system.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { inTransaction } from "#src/db/transaction.ts";
import { insertBatch } from "#src/recording/usage-batches.sql.ts";
import { checkLedger } from "#src/spend/check/check-ledger.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf, watchEvents } from "#test/harness/audit-events.ts";
import { foldRollups } from "#test/harness/folds.ts";
import { createSilentNode } from "#test/harness/unresolved-spend.ts";

type Forgotten = z.output<typeof forgetNode.response>;
type Node = z.output<typeof listNodes.response>["data"][number];

const test = base.extend("nodes", ({ h, org, workspaceId }) => {
  const forget = (id: string, body: object = {}, client = org.admin) =>
    client.post<Forgotten>(`/v1/admin/nodes/${id}/forget`, body);

  async function find(id: string, client = org.admin): Promise<Node | undefined> {
    const { body } = await client.get<{ data: Node[] }>("/v1/admin/nodes");
    return body.data.find((node) => node.id === id);
  }

  async function unresolved(): Promise<bigint> {
    const row = await h.deps.database
      .selectFrom("balance_sum")
      .select("unresolved_nano_usd as nanoUsd")
      .where("scope_id", "=", workspaceId)
      .where("period", "=", "monthly")
      .executeTakeFirst();
    return row?.nanoUsd ?? 0n;
  }

  const change = (id: string, changes: { seen_at?: Date; lease_expires_at?: Date }) =>
    h.deps.database.updateTable("node").set(changes).where("id", "=", id).execute();

  return { forget, find, unresolved, change };
});

describe("a lost node", () => {
  test("is listed with its unreleased budget, and the system warns of it", async ({
    org,
    workspaceId,
    nodes,
  }) => {
    const id = await org.createSilentNode(workspaceId);
    expect(await nodes.find(id)).toMatchObject({
      is_silent: true,
      is_this_one: false,
      leased_usd: "0.00",
      waiting_budget_usd: "0.50",
      unflushed_records: null,
    });
    const { body } = await org.operator.get<z.output<typeof system>>("/v1/admin/system");
    expect(body.warnings.join("\n")).toContain(
      `and $0.50 of limits waits for its journal. Start it again. If it is lost, \`./bursar nodes forget ${id}\` releases the budget.`,
    );
  });

  test("releases its budget once when it is forgotten, and the audit log has the reason", async ({
    h,
    org,
    workspaceId,
    nodes,
  }) => {
    const id = await org.createSilentNode(workspaceId);
    const { status, body } = await nodes.forget(id, { reason: "The machine is gone." });
    expect(status).toBe(200);
    expect(body).toEqual({
      type: "node_forgotten",
      id,
      released_usd: "0.50",
      released: [
        {
          scope: { type: "workspace", id: workspaceId },
          period: "monthly",
          period_start: "2026-11-01",
          amount_usd: "0.50",
        },
      ],
    });
    expect(await nodes.unresolved()).toBe(0n);
    expect((await checkLedger(h.deps.database, org.id)).differences).toEqual([]);
    expect(await auditEventsOf(h.deps.database, id)).toMatchObject([
      {
        event: "node.forgotten",
        after: { released_usd: "0.50", reason: "The machine is gone." },
      },
    ]);
    const events = await watchEvents(h.deps.database, org.id);
    const again = await nodes.forget(id);
    expect(again.body).toEqual({ type: "node_forgotten", id, released_usd: "0.00", released: [] });
    expect(await events()).toEqual([]);
    expect((await nodes.find(id))?.waiting_budget_usd).toBe("0.00");
  });

  test("releases budget that its lost journal may have spent", async ({
    h,
    org,
    workspaceId,
    nodes,
  }) => {
    const of = { organizationId: org.id, workspaceId, sinceMs: h.clock.nowMs };
    const id = await createSilentNode(h.deps.database, { ...of, requestId: "epoch:3" });
    expect((await nodes.forget(id)).body.released_usd).toBe("0.50");
    expect(await nodes.unresolved()).toBe(0n);
  });

  test("keeps holds of single requests with an unknown outcome", async ({
    h,
    org,
    workspaceId,
    nodes,
  }) => {
    const of = { organizationId: org.id, workspaceId, sinceMs: h.clock.nowMs };
    const id = await createSilentNode(h.deps.database, { ...of, requestId: "req_1" });
    expect((await nodes.forget(id)).body.released_usd).toBe("0.00");
    expect(await nodes.unresolved()).toBe(500_000_000n);
    expect((await nodes.find(id))?.waiting_budget_usd).toBe("0.00");
  });

  test("releases its budget once for ten concurrent calls", async ({ org, workspaceId, nodes }) => {
    const id = await org.createSilentNode(workspaceId);
    const answers = await Promise.all(Array.from({ length: 10 }, () => nodes.forget(id)));
    expect(answers.map(({ body }) => body.released_usd).sort()).toEqual([
      ...Array.from({ length: 9 }, () => "0.00"),
      "0.50",
    ]);
    expect(await nodes.unresolved()).toBe(0n);
  });

  test("keeps its budget of another organization", async ({ h, org, workspaceId, nodes }) => {
    const id = await org.createSilentNode(workspaceId);
    const other = await h.organization();
    expect((await nodes.forget(id, {}, other.admin)).body.released_usd).toBe("0.00");
    expect((await nodes.find(id, other.admin))?.waiting_budget_usd).toBe("0.00");
    expect(await nodes.unresolved()).toBe(500_000_000n);
  });
});

describe("refuses a node in contact, which keeps its budget", () => {
  test.for([
    ["that holds leases", () => ({ lease_expires_at: new Date(Date.now() + 60_000) })],
    ["that no other node has fenced yet", () => ({ lease_expires_at: new Date(0) })],
    ["that has just come back", () => ({ seen_at: new Date() })],
  ] as const)("one %s", async ([_, changes], { org, workspaceId, nodes }) => {
    const id = await org.createSilentNode(workspaceId);
    await nodes.change(id, changes());
    const { status, body } = await nodes.forget(id);
    expect(status).toBe(409);
    expect(body).toMatchObject({
      error: { type: "conflict_error", details: { error_code: "node_in_contact" } },
    });
    expect(await nodes.unresolved()).toBe(500_000_000n);
  });
});

test("refuses a node whose requests are not counted yet, until a fold has counted them", async ({
  h,
  org,
  workspaceId,
  nodes,
}) => {
  const id = await org.createSilentNode(workspaceId);
  const { database } = h.deps;
  const batch = { nodeId: id, journalId: "journal", toSeq: 1, oldestMs: null, rows: [] };
  await inTransaction(database, (tx) => insertBatch(tx, { ...batch, holdCharges: "[]" }));
  expect((await nodes.forget(id)).status).toBe(409);
  expect(await nodes.unresolved()).toBe(500_000_000n);
  await foldRollups(database);
  expect((await nodes.forget(id)).body.released_usd).toBe("0.50");
});

test("an unknown node is not found", async ({ nodes }) => {
  expect((await nodes.forget("node_unknown")).status).toBe(404);
});

test("reports unflushed records of a node with its journal in the database", async ({
  h,
  org,
  workspaceId,
  nodes,
}) => {
  const id = await org.createSilentNode(workspaceId);
  const { database } = h.deps;
  await database
    .insertInto("journal_writer")
    .values({ node_id: id, journal_id: "journal" })
    .execute();
  const line = Buffer.from("{}");
  const records = [1n, 2n, 3n].map((seq) => ({ node_id: id, seq, line }));
  await database.insertInto("journal_record").values(records).execute();
  await database
    .updateTable("node")
    .set({ flushed_seq: 1n, appends: true })
    .where("id", "=", id)
    .execute();
  expect(await nodes.find(id)).toMatchObject({ journal: "postgres", unflushed_records: 2 });
});
