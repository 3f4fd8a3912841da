import type {
  modelPrice,
  modelPriceOverride,
  modelPricePreview,
} from "@bursar/contract/admin/model-prices.ts";
import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

const PRICES = "/v1/admin/model_prices";
const DAY_MS = 86_400_000;
type Price = z.output<typeof modelPrice>;
type Override = z.output<typeof modelPriceOverride>;
type Preview = z.output<typeof modelPricePreview>;

const test = base.extend("find", ({ org }) => async (model: string, at = "") => {
  const query = `model=${encodeURIComponent(model)}${at && `&at=${at}`}`;
  return (await org.admin.get<Listed<Price>>(`${PRICES}?${query}`)).body.data;
});

test("lists shipped models with the prices in force, including retired and unpriced ones", async ({
  org,
}) => {
  const { body } = await org.admin.get<Listed<Price>>(`${PRICES}?limit=1000`);
  expect(body.next_page).toBeNull();
  const sonnet = body.data.find(({ model }) => model === "claude-3-5-sonnet");
  expect(sonnet).toMatchObject({
    lifecycle: "retired",
    source: "shipped",
    prices: { input_usd: "3.00", output_usd: "15.00" },
  });
  const unpriced = body.data.filter(({ prices }) => prices === null);
  expect(unpriced.length).toBeGreaterThan(0);
  for (const { source } of unpriced) expect(source).toBeNull();
});

test("finds a model by name, alias or snapshot, and its price by date", async ({ find }) => {
  const [byAlias] = await find("claude-3-5-sonnet-20241022");
  expect(byAlias?.model).toBe("claude-3-5-sonnet");
  const [before] = await find("claude-sonnet-5-5", "2026-10-06T23:59:59Z");
  const [after] = await find("claude-sonnet-5-5", "2026-10-07T00:00:00Z");
  expect([before?.prices?.cache_read_usd, after?.prices?.cache_read_usd]).toEqual(["0.20", "0.10"]);
  expect(await find("no-such-model")).toEqual([]);
});

test("pages list every model once", async ({ org }) => {
  const all = (await org.admin.get<Listed<Price>>(`${PRICES}?limit=1000`)).body.data;
  const seen: string[] = [];
  let page = "";
  do {
    const { body } = await org.admin.get<Listed<Price>>(`${PRICES}?limit=7&page=${page}`);
    seen.push(...body.data.map(({ model }) => model));
    page = body.next_page ?? "";
  } while (page !== "");
  expect(seen).toEqual(all.map(({ model }) => model));
});

describe("an override", () => {
  test("applies from its start, with cache prices computed from the input price", async ({
    h,
    org,
    find,
  }) => {
    const effectiveFrom = new Date(h.clock.nowMs + DAY_MS).toISOString();
    const made = await org.admin.post<Override>(PRICES, {
      model: "claude-opus-5",
      effective_from: effectiveFrom,
      input_usd: 4,
      output_usd: "20.5",
    });
    expect(made.body).toEqual({
      id: expect.stringMatching(/^price_[0-9A-Za-z]{24}$/),
      type: "model_price_override",
      model: "claude-opus-5",
      effective_from: effectiveFrom,
      prices: {
        input_usd: "4.00",
        cache_write_5m_usd: "5.00",
        cache_write_1h_usd: "8.00",
        cache_read_usd: "0.40",
        output_usd: "20.50",
      },
      created_at: new Date(h.clock.nowMs).toISOString(),
    });
    const [now] = await find("claude-opus-5");
    const [then] = await find("claude-opus-5", effectiveFrom);
    expect([now?.source, then?.source]).toEqual(["shipped", "override"]);
    expect(then?.prices).toEqual(made.body.prices);
    expect(then?.effective_from).toBe(effectiveFrom);
    const events = await auditEventsOf(h.deps.database, made.body.id);
    expect(events).toMatchObject([{ event: "model_price.created", after: { input_usd: "4.00" } }]);
  });

  test("sets the price of an unlisted model for this organization only", async ({
    h,
    org,
    find,
  }) => {
    await org.admin.post(PRICES, { model: "new-model", input_usd: 1, output_usd: 2 });
    expect(await find("new-model")).toMatchObject([{ model: "new-model", source: "override" }]);
    const other = await h.organization();
    const theirs = await other.admin.get<Listed<Price>>(`${PRICES}?model=new-model`);
    expect(theirs.body.data).toEqual([]);
  });

  test("is refused with 409 for the same model and start", async ({ org }) => {
    const body = { model: "new-model", input_usd: 1, output_usd: 2 };
    expect((await org.admin.post(PRICES, body)).status).toBe(200);
    const again = await org.admin.post(PRICES, body);
    expect([again.status, again.error.type]).toEqual([409, "conflict_error"]);
    expect(again.headers["x-should-retry"]).toBe("false");
  });

  test.for([
    [{ effective_from: "2026-11-20T11:00:00Z" }, "effective_from: expected now or a later time"],
    [{ effective_from: "9999-01-01T00:00:00Z" }, "effective_from: expected a time in the years"],
    [{ input_usd: 10_001 }, "input_usd: expected at most 10000.00"],
    [{ input_usd: -1 }, "input_usd: expected an amount"],
    [{ input_usd: "0.000000001" }, "cache_write_5m_usd: send this price"],
    [{ output_usd: undefined }, "output_usd: this field is required"],
  ] as const)("refuses %j", async ([fields, message], { h, org }) => {
    h.clock.nowMs = Math.max(h.clock.nowMs, Date.UTC(2026, 10, 20, 12));
    const body = { model: "m", input_usd: 1, output_usd: 2, ...fields };
    const answer = await org.admin.post(PRICES, body);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain(message);
  });
});

test("a preview computes the last 30 days again, without simulated requests and other models", async ({
  h,
  org,
  workspaceId,
  apiKeyId,
  find,
}) => {
  const recent = {
    organizationId: org.id,
    workspaceId,
    apiKeyId,
    startedAtMs: h.clock.nowMs - DAY_MS,
  };
  await recordUsage(h.deps.database, [
    endRecord({ ...recent, requestId: "req_price_1" }),
    endRecord({ ...recent, requestId: "req_price_2", startedAtMs: h.clock.nowMs }),
    endRecord({ ...recent, requestId: "req_price_3", serviceTier: SIMULATED_TIER }),
    endRecord({ ...recent, requestId: "req_price_4", model: "claude-opus-5" }),
    endRecord({
      ...recent,
      requestId: "req_price_5",
      startedAtMs: h.clock.nowMs - 32 * DAY_MS,
    }),
  ]);
  const price = { model: "claude-sonnet-5", input_usd: 4, output_usd: 20 };
  const { body } = await org.admin.post<Preview>(`${PRICES}/preview`, price);
  expect(body).toMatchObject({
    models: ["claude-sonnet-5"],
    requests: 2,
    cost_usd: "0.0001622",
    new_cost_usd: "0.0003244",
    organization_cost_usd: "0.0002433",
    ending_at: new Date(h.clock.nowMs).toISOString(),
  });
  expect(await find("claude-sonnet-5")).toMatchObject([{ source: "shipped" }]);
  const other = await h.organization();
  const theirs = await other.admin.post<Preview>(`${PRICES}/preview`, price);
  expect(theirs.body).toMatchObject({ models: [], requests: 0, new_cost_usd: "0.00" });
});

test("workspace keys can read prices but cannot set them", async ({ h, org }) => {
  const { id } = await org.admin.createWorkspace();
  const reader = await org.admin.createApiKey(id, { permissions: ["read"] });
  const admin = await org.admin.createApiKey(id, { permissions: ["admin"] });
  expect((await h.as(reader.key).get(PRICES)).status).toBe(200);
  const answer = await h.as(admin.key).post(PRICES, { model: "m", input_usd: 1, output_usd: 2 });
  expect(answer.status).toBe(403);
});
