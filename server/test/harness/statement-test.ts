import type {
  getStatement,
  listStatementRows,
  listStatements,
} from "@bursar/contract/admin/statements.ts";
import { expect } from "vitest";
import type { z } from "zod";
import type { Database } from "#src/db/pool.ts";
import { parseUsd } from "#src/domain/money.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost, noTokens } from "#src/domain/usage.ts";
import { newId } from "#src/lib/ids.ts";
import { closeStatements } from "#src/usage/statements/close-statements.ts";
import type { TestOrganization } from "./admin.ts";
import { test as base } from "./admin-test.ts";
import { endRecord, recordSpend } from "./usage-records.ts";

// Statements over requests and adjustments of chosen times.

export type Statement = z.output<(typeof getStatement)["response"]>;
type Rows = z.output<(typeof listStatementRows)["response"]>;

export const STATEMENTS = "/v1/admin/statements";

let made = 0;

export const statementTest = base
  .extend("clockAt", ({ h }, { onCleanup }) => {
    const startMs = h.clock.nowMs;
    onCleanup(() => {
      h.clock.nowMs = startMs;
    });
    return (ms: number) => {
      h.clock.nowMs = ms;
    };
  })
  .extend(
    "close",
    ({ h }) =>
      () =>
        closeStatements({ ...h.deps }),
  )
  .extend("use", ({ h, org, workspaceId, apiKeyId }) => {
    /** Records one request with its balances, and returns its id. */
    return async (
      startedAtMs: number,
      nanoUsd: bigint,
      fields: Partial<EndRecord> = {},
    ): Promise<string> => {
      made += 1;
      const requestId = newId("req_", startedAtMs);
      const record = endRecord({
        requestId,
        organizationId: org.id,
        workspaceId,
        apiKeyId,
        startedAtMs,
        usage: { ...noTokens, inputTokens: 1_000 },
        cost: { ...noCost, input: nanoUsd, total: nanoUsd },
        ...fields,
      });
      await recordSpend(h.deps.database, [record]);
      return requestId;
    };
  })
  .extend("adjust", ({ h, org, workspaceId, apiKeyId }) => {
    return async (startedAtMs: number, nanoUsd: bigint, fields: object = {}): Promise<void> => {
      await h.deps.database
        .insertInto("spend_adjustment")
        .values({
          id: `adj_statement_${made++}`,
          organization_id: org.id,
          workspace_id: workspaceId,
          api_key_id: apiKeyId,
          request_id: `req_adjusted_${made}`,
          started_at: new Date(startedAtMs),
          cost_nano_usd: nanoUsd,
          reason: "The invoice has it.",
          ...fields,
        })
        .execute();
    };
  });

export async function readStatement(
  org: TestOrganization,
  month: string,
  query = "",
): Promise<Statement> {
  const answer = await org.operator.get<Statement>(`${STATEMENTS}/${month}?${query}`);
  expect(answer.error.message).toBe("");
  return answer.body;
}

export async function readStatementRows(org: TestOrganization, month: string, query: string) {
  const answer = await org.operator.get<Rows>(`${STATEMENTS}/${month}/rows?limit=100&${query}`);
  expect(answer.error.message).toBe("");
  return answer.body.data;
}

export const nano = (usd: string): bigint => parseUsd(usd, { canBeNegative: true });

/** Checks that each part of a statement adds up. */
export function expectSums(one: Statement): void {
  const { change } = one;
  const net =
    nano(one.list_cost_usd) +
    nano(one.adjustments_usd) +
    nano(one.earlier_usd) -
    nano(one.discount_usd);
  expect(nano(one.net_cost_usd)).toBe(net);
  expect(nano(change.difference_usd)).toBe(net - nano(change.previous_net_cost_usd));
  const causes = ["volume_usd", "mix_usd", "cache_usd", "price_usd"] as const;
  const parts = [...causes, "adjustments_usd", "discount_usd"] as const;
  expect(sum(parts.map((part) => change[part]))).toBe(nano(change.difference_usd));
  for (const cause of causes) {
    expect(sum(change.products.map((product) => product[cause]))).toBe(nano(change[cause]));
  }
  const earlier = one.earlier_months.map((each) => [each.list_cost_usd, each.adjustments_usd]);
  expect(sum(earlier.flat())).toBe(nano(one.earlier_usd));
}

/** Sets limits that refuse nothing, so that the ledger keeps balances of the scopes. */
export async function watchSpend(
  org: TestOrganization,
  workspaceIds: readonly string[],
): Promise<void> {
  const scopes = [
    { type: "organization" },
    ...workspaceIds.map((workspace_id) => ({ type: "workspace", workspace_id })),
  ];
  for (const scope of scopes) {
    const limit = { scope, period: "monthly", limit_usd: 1_000_000, enforcement: "alert_only" };
    expect((await org.operator.post("/v1/admin/spend_limits", limit)).error.message).toBe("");
  }
}

/** Checks that the list, the parts and the rows of each statement agree. Returns the statements. */
export async function expectWholeStatements(org: TestOrganization): Promise<Statement[]> {
  const { data } = (
    await org.operator.get<z.output<(typeof listStatements)["response"]>>(STATEMENTS)
  ).body;
  const statements: Statement[] = [];
  for (const listed of data) {
    const one = await readStatement(org, listed.month);
    statements.push(one);
    expectSums(one);
    const { scope: _, is_intact: isIntact, earlier_months: __, change: ___, ...place } = one;
    expect(place).toEqual(listed);
    expect(isIntact).toBe(one.state === "closed" ? true : null);
    for (const group of ["cost_center", "workspace", "member", "api_key", "model"]) {
      const rows = await readStatementRows(org, listed.month, `group_by=${group}`);
      expect(sum(rows.map((row) => row.net_cost_usd))).toBe(nano(one.net_cost_usd));
    }
  }
  return statements;
}

const sum = (texts: readonly string[]) => texts.reduce((total, text) => total + nano(text), 0n);

/** Cost in all statements of a scope, before the discount. Limits count both parts. */
export async function sumStatements(
  org: TestOrganization,
  statements: readonly Statement[],
  query: string,
): Promise<{ real: bigint; simulated: bigint }> {
  let real = 0n;
  let simulated = 0n;
  for (const { month } of statements) {
    const one = await readStatement(org, month, query);
    real += sum([one.list_cost_usd, one.adjustments_usd, one.earlier_usd]);
    simulated += nano(one.simulated.cost_usd);
  }
  return { real, simulated };
}

/** Spend of all months in the balances that limits compare. */
export async function sumBalances(database: Database, scopeId: string): Promise<bigint> {
  const rows = await database
    .selectFrom("balance")
    .select(["settled_nano_usd", "is_complete"])
    .where("scope_id", "=", scopeId)
    .where("period", "=", "monthly")
    .execute();
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter((row) => !row.is_complete)).toEqual([]);
  return rows.reduce((total, row) => total + row.settled_nano_usd, 0n);
}
