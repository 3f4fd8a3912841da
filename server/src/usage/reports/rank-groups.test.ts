import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { readPrimary } from "#src/db/reports-database.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { requestStatus } from "#src/domain/request-status.ts";
import { noCost } from "#src/domain/usage.ts";
import { makeAdminKeyCaller } from "#test/harness/admin-key-caller.ts";
import { test as base } from "#test/harness/database-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { getUsage, type UsageQuery } from "./usage.ts";

// Ranking reads only keys or workspaces that can have a first group. The pages must equal those of all groups in order.

const NOW_MS = Date.UTC(2026, 10, 20, 15);
const HOUR_MS = 3_600_000;
const KEYS = 60;
const WORKSPACES = 20;

const test = base
  .extend(
    "ask",
    ({ db }) =>
      (query: Omit<UsageQuery, "bucket">) =>
        getUsage(
          { database: db.database, nowMs: () => NOW_MS },
          {
            caller: makeAdminKeyCaller("adminkey_1", organizationId),
            origin: { requestId: "req_1", ipAddress: null, userAgent: null },
            reader: readPrimary({ primary: db.database, nowMs: () => NOW_MS }),
          },
          { bucket: "none", ...query },
        ),
  )
  .extend(
    "readPages",
    ({ ask }) =>
      async (groups: readonly Group[], query: Omit<UsageQuery, "bucket">, by: By) => {
        const found: string[] = [];
        let page: string | undefined;
        do {
          const report = await ask({ ...query, ...(page !== undefined && { page }) });
          for (const row of report.rows) {
            const names = groups.map((group) => row[columnOf[group]]);
            found.push(`${names.join(" ")}: ${row[columns[by]]}`);
          }
          page = report.nextPage ?? undefined;
        } while (page !== undefined);
        return found;
      },
  );

let organizationId: string;
let records: EndRecord[];

test.beforeAll(async ({ db }) => {
  organizationId = randomUUID();
  await db.database.insertInto("organization").values({ id: organizationId, name: "T" }).execute();
  await db.database
    .insertInto("workspace")
    .values(
      Array.from({ length: WORKSPACES }, (_, n) => ({
        id: `wksp_${n}`,
        organization_id: organizationId,
        name: `Workspace ${n}`,
        display_color: "#6c5bb9",
        tags: "{}",
      })),
    )
    .execute();
  await db.database
    .insertInto("api_key")
    .values(
      Array.from({ length: KEYS }, (_, n) => ({
        id: `apikey_${n}`,
        organization_id: organizationId,
        workspace_id: `wksp_${n % WORKSPACES}`,
        name: `Key ${n}`,
        permission: "write" as const,
        created_by_type: "system",
        created_by_id: "test",
      })),
    )
    .execute();
  records = Array.from({ length: KEYS }, (_, key) => requestsOf(key)).flat();
  await recordUsage(db.database, records);
});

/** Requests of a key, with decreasing cost by key and some ties, of two clients, mostly answered and partly refused. */
function requestsOf(key: number): EndRecord[] {
  const count = 2 + Math.floor(40 / (1 + Math.floor(key / 2)));
  return Array.from({ length: count }, (_, n) => {
    const nanoUsd = n % 5 === 1 ? 0n : BigInt(1 + Math.floor(200 / (1 + Math.floor(key / 3))));
    return endRecord({
      requestId: `req_${key}_${n}`,
      startedAtMs: NOW_MS - (1 + ((key * 31 + n * 7) % 1900)) * HOUR_MS,
      organizationId,
      workspaceId: `wksp_${key % WORKSPACES}`,
      apiKeyId: `apikey_${key}`,
      client: n % 3 === 0 ? "curl" : "claude-code",
      outcome: n % 5 === 1 ? "refused" : "answered",
      httpStatus: n % 5 === 1 ? 429 : 200,
      cost: { ...noCost, input: nanoUsd, total: nanoUsd },
    });
  });
}

const labelOf = {
  api_key: (record: EndRecord) => record.apiKeyId,
  workspace: (record: EndRecord) => record.workspaceId,
  client: (record: EndRecord) => record.client,
  status: (record: EndRecord) => requestStatus(record.outcome, record.httpStatus),
};
const columnOf = {
  api_key: "api_key_id",
  workspace: "workspace_id",
  client: "client",
  status: "status",
} as const;
type Group = keyof typeof labelOf;

const measureOf = {
  cost: (record: EndRecord) => record.cost.total,
  requests: () => 1n,
  errors: (record: EndRecord) => (record.outcome === "refused" ? 1n : 0n),
};
type By = keyof typeof measureOf;

/** Lists all groups with their measure, largest first, equal values by name. */
function ranked(groups: readonly Group[], by: By, startMs: number): string[] {
  const sums = new Map<string, bigint>();
  for (const record of records) {
    if (record.startedAtMs < startMs) continue;
    const key = groups.map((group) => labelOf[group](record)).join(" ");
    sums.set(key, (sums.get(key) ?? 0n) + measureOf[by](record));
  }
  return [...sums]
    .sort(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x < y ? 1 : -1))
    .map(([key, sum]) => `${key}: ${sum}`);
}

const columns = { cost: "cost_nano_usd", requests: "requests", errors: "errors" } as const;

test.for([
  [["api_key", "status"], "cost"],
  [["api_key", "client"], "cost"],
  [["api_key", "client", "status"], "requests"],
  [["workspace", "status"], "cost"],
  [["workspace", "client"], "requests"],
  [["workspace", "api_key", "client"], "cost"],
  [["api_key", "status"], "errors"],
] as const)(
  "%s by %s, in pages of any size, have all groups in order",
  async ([groups, by], { ask, readPages }) => {
    const startMs = NOW_MS - 1_500 * HOUR_MS - (NOW_MS % HOUR_MS);
    const query = {
      starting_at: new Date(startMs).toISOString(),
      group_by: [...groups],
      order_by: by,
    };
    for (const limit of [3, 10, 1000]) {
      expect(await readPages(groups, { ...query, limit }, by)).toEqual(ranked(groups, by, startMs));
    }
    const first = await ask({ ...query, limit: 1000, top: 4 });
    const shown = first.rows
      .filter(({ isOther }) => !isOther)
      .map((row) => groups.map((group) => row[columnOf[group]]).join(" "));
    const wanted = ranked(groups, by, startMs).slice(0, 4);
    expect(new Set(shown)).toEqual(new Set(wanted.map((line) => line.replace(/: \d+$/, ""))));
  },
);
