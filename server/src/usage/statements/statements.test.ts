import type {
  contractTerm,
  getStatement,
  listStatementRows,
  listStatements,
  statement,
} from "@bursar/contract/admin/statements.ts";
import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { openDatabase } from "#src/db/pool.ts";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost, noTokens } from "#src/domain/usage.ts";
import type { TestOrganization } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { seededRandom } from "#test/harness/seeded-random.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { closeStatements } from "./close-statements.ts";

type Statement = z.output<(typeof getStatement)["response"]>;
type Rows = z.output<(typeof listStatementRows)["response"]>;

const DAY_MS = 86_400_000;
const STATEMENTS = "/v1/admin/statements";
const TERMS = "/v1/admin/contract_terms";
const nano = (usd: string) => parseUsd(usd, { canBeNegative: true });

let made = 0;

const test = base
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
    /** Records one request, and returns its cost. */
    return async (
      startedAtMs: number,
      nanoUsd: bigint,
      fields: Partial<EndRecord> = {},
    ): Promise<void> => {
      const record = endRecord({
        requestId: `req_statement_${made++}`,
        organizationId: org.id,
        workspaceId,
        apiKeyId,
        startedAtMs,
        usage: { ...noTokens, inputTokens: 1_000 },
        cost: { ...noCost, input: nanoUsd, total: nanoUsd },
        ...fields,
      });
      await recordUsage(h.deps.database, [record]);
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

async function read(org: TestOrganization, month: string, query = ""): Promise<Statement> {
  const answer = await org.operator.get<Statement>(`${STATEMENTS}/${month}?${query}`);
  expect(answer.error.message).toBe("");
  return answer.body;
}

async function readRows(org: TestOrganization, month: string, query: string) {
  const answer = await org.operator.get<Rows>(`${STATEMENTS}/${month}/rows?limit=100&${query}`);
  expect(answer.error.message).toBe("");
  return answer.body.data;
}

/** Checks that each part of a statement adds up. */
function expectSums(one: z.output<typeof statement>): void {
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
  const sum = (texts: readonly string[]) => texts.reduce((total, text) => total + nano(text), 0n);
  expect(sum(parts.map((part) => change[part]))).toBe(nano(change.difference_usd));
  for (const cause of causes) {
    expect(sum(change.products.map((product) => product[cause]))).toBe(nano(change[cause]));
  }
  const earlier = one.earlier_months.map((each) => [each.list_cost_usd, each.adjustments_usd]);
  expect(sum(earlier.flat())).toBe(nano(one.earlier_usd));
}

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
    "add up to the cost report and the adjustments, with seed %i",
    async (seed, { org, workspaceId, apiKeyId, use, adjust, close, clockAt }) => {
      const random = seededRandom(seed);
      const pick = <Item>(items: readonly [Item, ...Item[]]): Item =>
        items[Math.floor(random() * items.length)] ?? items[0];
      const other = await org.admin.createWorkspace();
      const otherKey = await org.admin.createApiKey(other.id);
      const places = [
        { workspaceId, apiKeyId },
        { workspaceId: other.id, apiKeyId: otherKey.id },
      ] as const;
      const first = Date.UTC(2026, 5, 1);
      let real = 0n;
      let adjusted = 0n;
      const closed = new Map<string, Statement>();
      for (let month = 0; month < 5; month++) {
        const startMs = Date.UTC(2026, 5 + month, 1);
        clockAt(startMs + 10 * DAY_MS);
        if (random() < 0.6) {
          const percent = String(Math.floor(random() * 40) - 10);
          const from_month = new Date(startMs).toISOString().slice(0, 7);
          const made = { from_month, discount_percent: `${percent}.1234` };
          expect((await org.operator.post(TERMS, made)).status).toBe(200);
        }
        // The price of a unit changes from month to month.
        const price = BigInt(1 + Math.floor(random() * 10_000));
        const count = month === 2 ? 0 : 12;
        for (let request = 0; request < count; request++) {
          const isLate = random() < 0.3;
          const atMs = (isLate ? first : startMs) + Math.floor(random() * 20) * DAY_MS;
          const inputTokens = Math.floor(random() * 100_000);
          const output = BigInt(Math.floor(random() * 1_000_000_007));
          const input = BigInt(inputTokens) * price;
          const isSimulated = random() < 0.2;
          if (!isSimulated) real += input + output;
          await use(atMs, 0n, {
            ...pick(places),
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
          if (random() < 0.3) {
            const amount = BigInt(Math.floor(random() * 1_000) - 500);
            await adjust(atMs, amount, { workspace_id: pick(places).workspaceId });
            adjusted += amount;
          }
        }
        clockAt(Date.UTC(2026, 6 + month, 1) + (random() < 0.5 ? 2 : 4) * DAY_MS);
        await close();
        for (const [name, before] of closed) expect(await read(org, name)).toEqual(before);
        const { data } = (
          await org.operator.get<z.output<(typeof listStatements)["response"]>>(STATEMENTS)
        ).body;
        let sum = 0n;
        for (const listed of data) {
          const one = await read(org, listed.month);
          expectSums(one);
          const { scope: _, is_intact: isIntact, earlier_months: __, change: ___, ...place } = one;
          expect(place).toEqual(listed);
          if (one.state === "closed") closed.set(one.month, one);
          expect(isIntact).toBe(one.state === "closed" ? true : null);
          sum += nano(one.list_cost_usd) + nano(one.adjustments_usd) + nano(one.earlier_usd);
          for (const group of ["cost_center", "workspace", "member", "api_key", "model"]) {
            const rows = await readRows(org, listed.month, `group_by=${group}`);
            const net = rows.reduce((total, row) => total + nano(row.net_cost_usd), 0n);
            expect(net).toBe(nano(one.net_cost_usd));
          }
        }
        expect(sum).toBe(real + adjusted);
      }
      expect(closed.size).toBeGreaterThanOrEqual(3);
      const range = `starting_at=2026-06-01T00:00:00Z&bucket=none&group_by=service_tier`;
      const { body } = await org.operator.get<{
        data: { service_tier: string; cost_usd: string }[];
      }>(`/v1/admin/cost?${range}`);
      const billed = body.data.filter((row) => row.service_tier !== SIMULATED_TIER);
      expect(billed.reduce((total, row) => total + nano(row.cost_usd), 0n)).toBe(real);
    },
  );
});
