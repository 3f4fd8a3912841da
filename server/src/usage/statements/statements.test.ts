import type { contractTerm, listStatements } from "@bursar/contract/admin/statements.ts";
import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { openDatabase } from "#src/db/pool.ts";
import { formatUsd } from "#src/domain/money.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost, noTokens } from "#src/domain/usage.ts";
import type { TestOrganization } from "#test/harness/admin.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { seededRandom } from "#test/harness/seeded-random.ts";
import {
  expectSums,
  expectWholeStatements,
  nano,
  readStatement as read,
  readStatementRows as readRows,
  STATEMENTS,
  type Statement,
  sumBalances,
  sumStatements,
  statementTest as test,
  watchSpend,
} from "#test/harness/statement-test.ts";
import { closeStatements } from "./close-statements.ts";

const DAY_MS = 86_400_000;
const TERMS = "/v1/admin/contract_terms";

const SEPTEMBER = Date.UTC(2026, 8, 1);
const OCTOBER = Date.UTC(2026, 9, 1);
const NOVEMBER = Date.UTC(2026, 10, 1);

describe("a month", () => {
  test("is a preview, then ended, then closed, and has a hash that the audit log has too", async ({
    h,
    org,
    use,
    close,
    clockAt,
  }) => {
    clockAt(OCTOBER - 1);
    await use(SEPTEMBER + DAY_MS, 5_000_000_001n);
    await close();
    expect(await read(org, "2026-09")).toMatchObject({
      state: "open",
      net_cost_usd: "5.000000001",
    });
    clockAt(OCTOBER + 3 * DAY_MS - 1);
    await close();
    expect(await read(org, "2026-09")).toMatchObject({ state: "ended", is_intact: null });
    clockAt(OCTOBER + 3 * DAY_MS);
    const listEvents = await watchEvents(h.deps.database, org.id);
    await close();
    const closed = await read(org, "2026-09");
    expect(closed).toMatchObject({
      state: "closed",
      is_intact: true,
      closed_at: new Date(OCTOBER + 3 * DAY_MS).toISOString(),
      net_cost_usd: "5.000000001",
    });
    expect(await listEvents()).toMatchObject([
      {
        event: "statement.closed",
        actor_type: "system",
        after: { sha256: closed.sha256, net_cost_usd: "5.000000001" },
      },
    ]);
  });

  test("is closed once by two nodes", async ({ h, org, use, clockAt }) => {
    await use(SEPTEMBER, 7n);
    await use(OCTOBER, 8n);
    clockAt(NOVEMBER + 5 * DAY_MS);
    const { connectionString } = h;
    const other = openDatabase({
      connectionString,
      maxConnections: 2,
      onIdleError: () => undefined,
    });
    await Promise.all([
      closeStatements({ ...h.deps }),
      closeStatements({ ...h.deps, database: other }),
    ]);
    await other.destroy();
    const { data } = (
      await org.operator.get<z.output<(typeof listStatements)["response"]>>(STATEMENTS)
    ).body;
    expect(data.map(({ month, state, list_cost_usd }) => [month, state, list_cost_usd])).toEqual([
      ["2026-11", "open", "0.00"],
      ["2026-10", "closed", "0.000000008"],
      ["2026-09", "closed", "0.000000007"],
    ]);
  });

  test("closes after its requests are counted", async ({ h, org, use, close, clockAt }) => {
    await use(SEPTEMBER, 7n);
    await h.deps.database
      .updateTable("rollup_progress")
      .set({ hour_at: new Date(OCTOBER - 1) })
      .execute();
    clockAt(NOVEMBER);
    await close();
    expect((await read(org, "2026-09")).state).toBe("ended");
    await h.deps.database.updateTable("rollup_progress").set({ hour_at: Infinity }).execute();
    await close();
    expect((await read(org, "2026-09")).state).toBe("closed");
  });

  test("that is closed keeps its amounts and names. Later arrivals are in the next one", async ({
    org,
    use,
    adjust,
    close,
    clockAt,
    workspaceId,
  }) => {
    await org.operator.post(`/v1/admin/workspaces/${workspaceId}`, { name: "Before" });
    await use(SEPTEMBER, 100n);
    await adjust(SEPTEMBER, 10n);
    clockAt(OCTOBER + 4 * DAY_MS);
    await close();
    const closed = await read(org, "2026-09");
    expect(closed).toMatchObject({ list_cost_usd: "0.0000001", adjustments_usd: "0.00000001" });
    await use(SEPTEMBER + 1, 5n);
    await use(OCTOBER, 1_000n);
    await adjust(SEPTEMBER, -3n);
    await org.operator.post(`/v1/admin/workspaces/${workspaceId}`, { name: "After" });
    expect(await read(org, "2026-09")).toEqual(closed);
    expect((await readRows(org, "2026-09", "group_by=workspace")).map((row) => row.name)).toEqual([
      "Before",
    ]);
    const open = await read(org, "2026-10");
    expect(open).toMatchObject({
      list_cost_usd: "0.000001",
      earlier_usd: "0.000000002",
      earlier_months: [
        { month: "2026-09", list_cost_usd: "0.000000005", adjustments_usd: "-0.000000003" },
      ],
    });
    clockAt(NOVEMBER + 4 * DAY_MS);
    await close();
    expect(await read(org, "2026-10")).toMatchObject({ state: "closed", ...pickAmounts(open) });
    expect((await read(org, "2026-11")).earlier_months).toEqual([]);
  });

  test("whose stored lines were changed is no longer intact", async ({
    h,
    org,
    use,
    close,
    clockAt,
  }) => {
    await use(SEPTEMBER, 100n);
    clockAt(NOVEMBER);
    await close();
    expect((await read(org, "2026-09")).is_intact).toBe(true);
    await h.deps.database
      .updateTable("statement_line")
      .set({ cost_nano_usd: 99n })
      .where("organization_id", "=", org.id)
      .execute();
    expect((await read(org, "2026-09")).is_intact).toBe(false);
  });

  test("before the first usage or after the current one has no statement", async ({ org }) => {
    for (const month of ["2026-08", "2027-01"]) {
      const answer = await org.operator.get(`${STATEMENTS}/${month}`);
      expect([answer.status, answer.error.details]).toEqual([
        404,
        { error_code: "resource_not_found", resource: "statement" },
      ]);
    }
  });
});

function pickAmounts({ list_cost_usd, earlier_usd, earlier_months, net_cost_usd }: Statement) {
  return { list_cost_usd, earlier_usd, earlier_months, net_cost_usd };
}

describe("the scope", () => {
  test("is a workspace, a group, a tag, or what no cost centre has. The rows have the same sums", async ({
    h,
    org,
    use,
    adjust,
    clockAt,
    workspaceId,
  }) => {
    clockAt(NOVEMBER);
    const other = await org.admin.createWorkspace();
    for (const cost_center of ["4711", "4712"]) {
      await org.operator.post(`/v1/admin/workspaces/${other.id}`, { tags: { cost_center } });
    }
    const tags = await h.deps.database
      .selectFrom("tag")
      .select("id")
      .where("organization_id", "=", org.id)
      .orderBy("value")
      .execute();
    const [first = "", second = ""] = tags.map(({ id }) => id);
    await use(NOVEMBER, 1n, { tagIds: [first], groupIds: ["group_a", "group_b"] });
    await use(NOVEMBER, 10n, { tagIds: [second], workspaceId: other.id });
    await use(NOVEMBER, 100n);
    await adjust(NOVEMBER, 1_000n, { tag_ids: second });
    const cost = async (query: string) => (await read(org, "2026-11", query)).net_cost_usd;
    expect(await cost("")).toBe("0.000001111");
    expect(await cost(`workspace_id=${workspaceId}`)).toBe("0.000001101");
    expect(await cost("group_id=group_b")).toBe("0.000000001");
    expect(await cost("tag=cost_center:4712")).toBe("0.00000101");
    expect(await cost("without_tag=cost_center")).toBe("0.0000001");
    const settings = { cost_center_tag: "cost_center" };
    await org.operator.post("/v1/admin/statement_settings", settings);
    const rows = await readRows(org, "2026-11", "group_by=cost_center");
    expect(rows.map(({ name, net_cost_usd }) => [name, net_cost_usd])).toEqual([
      ["4712", "0.00000101"],
      [null, "0.0000001"],
      ["4711", "0.000000001"],
    ]);
    const two = await org.operator.get(`${STATEMENTS}/2026-11?group_id=a&without_tag=b`);
    expect([two.status, two.error.message]).toEqual([
      400,
      expect.stringContaining("a statement has one scope"),
    ]);
  });

  test("is the own workspace for a member with a role there only", async ({
    org,
    use,
    clockAt,
    workspaceId,
  }) => {
    clockAt(NOVEMBER);
    const other = await org.admin.createWorkspace();
    await use(NOVEMBER, 1n);
    await use(NOVEMBER, 10n, { workspaceId: other.id });
    const { client } = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const own = `workspace_id=${workspaceId}`;
    const amount = { net_cost_usd: "0.000000001" };
    expect((await client.get(`${STATEMENTS}?${own}`)).body).toMatchObject({ data: [amount] });
    expect((await client.get(`${STATEMENTS}/2026-11?${own}`)).body).toMatchObject(amount);
    const rows = await client.get(`${STATEMENTS}/2026-11/rows?group_by=member&${own}`);
    expect(rows.body).toMatchObject({ data: [amount] });
    const file = await client.get(`${STATEMENTS}/2026-11/export?format=jsonl&${own}`);
    expect(
      file.text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toMatchObject([amount]);
    const statusOf = async (path: string) => (await client.get(path)).status;
    for (const path of ["", "/2026-11", "/2026-11/rows?group_by=member", "/2026-11/export"]) {
      expect([path, await statusOf(STATEMENTS + path)]).toEqual([path, 403]);
    }
    expect(await statusOf(`${STATEMENTS}/2026-11?group_id=group_a`)).toBe(403);
    expect(await statusOf(`${STATEMENTS}/2026-11?workspace_id=${other.id}`)).toBe(404);
    expect(await statusOf(TERMS)).toBe(403);
    const developer = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    expect((await developer.client.get(`${STATEMENTS}/2026-11?${own}`)).status).toBe(403);
  });
});

test("simulated requests and their adjustments are in a line of their own", async ({
  org,
  use,
  clockAt,
}) => {
  clockAt(NOVEMBER);
  await use(NOVEMBER, 10n);
  await use(NOVEMBER, 7_000n, { serviceTier: SIMULATED_TIER });
  expect(await read(org, "2026-11")).toMatchObject({
    list_cost_usd: "0.00000001",
    net_cost_usd: "0.00000001",
    requests: 1,
    simulated: { requests: 1, cost_usd: "0.000007" },
    change: { products: [{ service_tier: "standard" }] },
  });
  expect(await readRows(org, "2026-11", "group_by=api_key")).toMatchObject([
    { net_cost_usd: "0.00000001" },
  ]);
});

describe("a contract term", () => {
  const term = async (org: TestOrganization, body: object) =>
    org.operator.post<z.output<typeof contractTerm>>(TERMS, body);

  const remove = (org: TestOrganization, id: string) => org.operator.remove(`${TERMS}/${id}`);

  test("applies from its month on, the longest family first, to statements only", async ({
    org,
    use,
    adjust,
    clockAt,
  }) => {
    clockAt(NOVEMBER);
    await use(OCTOBER, 1_000n);
    await use(NOVEMBER, 1_001n);
    await use(NOVEMBER, 2_000n, { model: "claude-opus-5" });
    await adjust(NOVEMBER, -10n);
    await term(org, { from_month: "2026-11", discount_percent: "12.5" });
    const family = { model_family: "claude-opus", discount_percent: "-10" };
    expect((await term(org, { from_month: "2026-11", ...family })).body).toMatchObject({
      is_fixed: false,
      discount_percent: "-10",
    });
    // 125.125, -200 and -1.25, each rounded.
    const november = await read(org, "2026-11");
    expect(november).toMatchObject({
      list_cost_usd: formatUsd(3_001n),
      adjustments_usd: formatUsd(-10n),
      discount_usd: formatUsd(-76n),
      net_cost_usd: formatUsd(3_067n),
    });
    expectSums(november);
    expect(await read(org, "2026-10")).toMatchObject({ discount_usd: "0.00" });
    const { body } = await org.operator.get<{ totals: { cost_usd: string } }>(
      "/v1/admin/cost?starting_at=2026-11-01T00:00:00Z&ending_at=2026-12-01T00:00:00Z",
    );
    expect(body.totals.cost_usd).toBe(formatUsd(3_001n));
  });

  test("never changes a closed month", async ({ org, use, close, clockAt }) => {
    await use(SEPTEMBER, 1_000n);
    const early = await term(org, { from_month: "2026-09", discount_percent: "50" });
    clockAt(OCTOBER + 4 * DAY_MS);
    await close();
    expect(await read(org, "2026-09")).toMatchObject({ net_cost_usd: formatUsd(500n) });
    const late = await term(org, {
      from_month: "2026-09",
      model_family: "claude",
      discount_percent: "60",
    });
    expect([late.status, late.error.message]).toEqual([
      400,
      expect.stringContaining("from_month: 2026-09 is closed"),
    ]);
    const deleted = await remove(org, early.body.id);
    expect([deleted.status, deleted.error.message]).toEqual([
      400,
      expect.stringContaining("a closed month applied this term"),
    ]);
    // A late request has the terms of its own month.
    await use(SEPTEMBER, 100n);
    await term(org, { from_month: "2026-10", discount_percent: "0" });
    expect(await read(org, "2026-10")).toMatchObject({
      earlier_usd: formatUsd(100n),
      discount_usd: formatUsd(50n),
    });
  });

  test("is unique for its family and month, and belongs to one organization", async ({
    h,
    org,
  }) => {
    const body = { from_month: "2026-11", discount_percent: "5" };
    const first = await term(org, body);
    const again = await term(org, body);
    expect([first.status, again.status, again.error.details]).toMatchObject([
      200,
      409,
      { error_code: "already_exists" },
    ]);
    const other = await h.organization();
    expect((await other.operator.get(TERMS)).body).toEqual({ data: [] });
    expect((await remove(other, first.body.id)).status).toBe(404);
  });

  test.for(["100.1", "-901", "1e2", "12,5", "5 %", "0.00001"])(
    "of %s percent is refused",
    async (discount_percent, { org }) => {
      const answer = await term(org, { from_month: "2026-11", discount_percent });
      expect(answer.status).toBe(400);
    },
  );
});

describe("random months", () => {
  test.for([1, 2])(
    "add up to the balances of the limits and to the cost report, with seed %i",
    async (seed, { h, org, workspaceId, apiKeyId, use, close, clockAt }) => {
      const random = seededRandom(seed);
      const below = (count: number) => Math.floor(random() * count);
      const pick = <Item>(items: readonly [Item, ...Item[]]): Item =>
        items[below(items.length)] ?? items[0];
      const other = await org.admin.createWorkspace();
      const otherKey = await org.admin.createApiKey(other.id);
      const places = [
        { workspaceId, apiKeyId },
        { workspaceId: other.id, apiKeyId: otherKey.id },
      ] as const;
      const first = Date.UTC(2026, 5, 1);
      clockAt(first);
      await watchSpend(org, [workspaceId, other.id]);
      /** Cost of each request as it was recorded, and as it was decided later. */
      const requests = new Map<string, { recorded: bigint; due: bigint; isSimulated: boolean }>();
      const sumCosts = (read: "recorded" | "due", isSimulated: boolean) =>
        [...requests.values()]
          .filter((each) => each.isSimulated === isSimulated)
          .reduce((total, each) => total + each[read], 0n);
      const setCost = async (requestId: string) => {
        const due = below(1_000_000_000);
        const body = { cost_usd: due / 1e9, reason: "The invoice has it." };
        const answer = await org.operator.post(`/v1/admin/requests/${requestId}/cost`, body);
        expect(answer.error.message).toBe("");
        const request = requests.get(requestId);
        if (request) request.due = BigInt(due);
      };
      /** Requests of closed months whose cost is decided later. */
      const undecided: string[] = [];
      const closed = new Map<string, Statement>();
      for (let month = 0; month < 5; month++) {
        const startMs = Date.UTC(2026, 5 + month, 1);
        const endMs = Date.UTC(2026, 6 + month, 1);
        clockAt(startMs + 10 * DAY_MS);
        if (random() < 0.6) {
          const from_month = new Date(startMs).toISOString().slice(0, 7);
          const made = { from_month, discount_percent: `${below(40) - 10}.1234` };
          expect((await org.operator.post(TERMS, made)).status).toBe(200);
        }
        for (const requestId of undecided.splice(0)) await setCost(requestId);
        // The price of a unit changes from month to month.
        const price = BigInt(1 + below(10_000));
        const count = month === 2 ? 0 : 12;
        for (let request = 0; request < count; request++) {
          const isLate = random() < 0.3;
          const inMonthMs = (isLate ? first : startMs) + below(20) * DAY_MS;
          const runsIntoNext = random() < 0.2;
          const atMs = runsIntoNext ? endMs - 1 : inMonthMs;
          const inputTokens = below(100_000);
          const output = BigInt(below(1_000_000_007));
          const input = BigInt(inputTokens) * price;
          const isEstimated = random() < 0.3;
          const isSimulated = random() < 0.2;
          const requestId = await use(atMs, 0n, {
            ...pick(places),
            isEstimated,
            endedAtMs: atMs + (runsIntoNext ? 3_600_000 : 900),
            model: pick(["claude-sonnet-5", "claude-opus-5", `claude-new-${month}`]),
            speed: pick(["standard", "fast"]),
            ...pick<Partial<EndRecord>>([
              {},
              { tagIds: ["tag_1"] },
              { groupIds: ["group_1"], tagIds: ["tag_2"] },
            ]),
            ...(isSimulated && { serviceTier: SIMULATED_TIER }),
            usage: { ...noTokens, inputTokens, outputTokens: 50, cacheReadTokens: request },
            cost: { ...noCost, input, output, total: input + output },
          });
          requests.set(requestId, { recorded: input + output, due: input + output, isSimulated });
          if (!isEstimated) continue;
          if (random() < 0.5) await setCost(requestId);
          else undecided.push(requestId);
        }
        clockAt(endMs + (random() < 0.5 ? 2 : 4) * DAY_MS);
        await close();
        for (const [name, before] of closed) expect(await read(org, name)).toEqual(before);
        const statements = await expectWholeStatements(org);
        for (const one of statements) if (one.state === "closed") closed.set(one.month, one);
        const all = await sumStatements(org, statements, "");
        expect(all).toEqual({ real: sumCosts("due", false), simulated: sumCosts("due", true) });
        expect(all.real + all.simulated).toBe(await sumBalances(h.deps.database, org.id));
        for (const place of places) {
          const own = await sumStatements(org, statements, `workspace_id=${place.workspaceId}`);
          const balance = await sumBalances(h.deps.database, place.workspaceId);
          expect(own.real + own.simulated).toBe(balance);
        }
      }
      expect(closed.size).toBeGreaterThanOrEqual(3);
      const { body } = await org.operator.get<{
        totals: { cost_usd: string; simulated_cost_usd: string };
      }>("/v1/admin/cost?starting_at=2026-06-01T00:00:00Z&bucket=none");
      const { cost_usd, simulated_cost_usd } = body.totals;
      expect(nano(cost_usd) - nano(simulated_cost_usd)).toBe(sumCosts("recorded", false));
      expect(nano(simulated_cost_usd)).toBe(sumCosts("recorded", true));
    },
  );
});
