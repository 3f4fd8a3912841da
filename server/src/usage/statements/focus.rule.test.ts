import { describe, expect, test } from "vitest";
import { focusColumns, listCharges } from "./focus.rule.ts";
import { type LineRow, lineCounts, type StatementNames } from "./statement-shape.rule.ts";
import { splitDiscount } from "./statement-sums.rule.ts";

const noCounts = Object.fromEntries(lineCounts.map((name) => [name, 0n])) as Pick<
  LineRow,
  (typeof lineCounts)[number]
>;

const usage: LineRow = {
  kind: "usage",
  for_month: "2026-10-01",
  workspace_id: "wksp_1",
  api_key_id: "apikey_1",
  member_id: "user_1",
  group_ids: "group_1,group_2",
  tag_ids: "tag_1",
  model: "claude-sonnet-5",
  service_tier: "standard",
  context_window: "0-200k",
  inference_geo: "us",
  speed: "standard",
  adjustment_id: "",
  ...noCounts,
  requests: 3n,
  input_tokens: 1_500_000n,
  input_cost_nano_usd: 4_500_000_000n,
  web_searches: 2n,
  web_search_cost_nano_usd: 20_000_000n,
  cost_nano_usd: 4_520_000_000n,
  discount_nano_usd: 452_000_000n,
};

const adjustment: LineRow = {
  ...usage,
  ...noCounts,
  kind: "adjustment",
  for_month: "2026-08-01",
  adjustment_id: "adj_1",
  model: "",
  service_tier: "",
  inference_geo: "",
  cost_nano_usd: -30n,
  discount_nano_usd: -3n,
};

const names: StatementNames = {
  workspaces: new Map([["wksp_1", "Search"]]),
  apiKeys: new Map([["apikey_1", "ranking"]]),
  members: new Map([["user_1", { name: "Ada", email: "ada@example.com" }]]),
  groups: new Map([["group_1", "Engineering"]]),
  tags: new Map([["tag_1", { name: "cost_center", value: '47"11' }]]),
};
const organization = { id: "org", name: "Acme" };

function rowsOf(line: LineRow): Record<string, string | null>[] {
  return listCharges(line, { month: "2026-10-01", organization, names }).map((charge) =>
    Object.fromEntries(Object.entries(focusColumns).map(([name, read]) => [name, read(charge)])),
  );
}

/**
 * Columns of FOCUS 1.2 with the feature level Mandatory. `conditional` has those whose condition holds here: several sub
 * accounts, usage with units, SKUs with prices, resources and tags.
 * Source: specification/columns of github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, tag v1.2.
 */
const mandatory = [
  "BilledCost",
  "BillingAccountId",
  "BillingAccountName",
  "BillingCurrency",
  "BillingPeriodEnd",
  "BillingPeriodStart",
  "ChargeCategory",
  "ChargeClass",
  "ChargeDescription",
  "ChargePeriodEnd",
  "ChargePeriodStart",
  "ContractedCost",
  "EffectiveCost",
  "InvoiceIssuerName",
  "ListCost",
  "PricingQuantity",
  "PricingUnit",
  "ProviderName",
  "PublisherName",
  "ServiceCategory",
  "ServiceName",
];
const notNull = mandatory.filter(
  (name) =>
    ![
      "BillingAccountName",
      "ChargeClass",
      "ChargeDescription",
      "PricingQuantity",
      "PricingUnit",
    ].includes(name),
);
const conditional = [
  "BillingAccountType",
  "ConsumedQuantity",
  "ConsumedUnit",
  "ContractedUnitPrice",
  "ListUnitPrice",
  "PricingCategory",
  "RegionId",
  "RegionName",
  "ResourceId",
  "ResourceName",
  "ResourceType",
  "SkuId",
  "SkuMeter",
  "SkuPriceDetails",
  "SkuPriceId",
  "SubAccountId",
  "SubAccountName",
  "SubAccountType",
  "Tags",
];
const recommended = ["ChargeFrequency", "InvoiceId", "ServiceSubcategory"];

describe("the columns", () => {
  const columns = Object.keys(focusColumns);

  test("are those of FOCUS 1.2, and own ones with x_", () => {
    const own = columns.filter((name) => name.startsWith("x_"));
    const focus = columns.filter((name) => !name.startsWith("x_"));
    expect(focus.toSorted()).toEqual([...mandatory, ...conditional, ...recommended].sort());
    expect(own).toEqual([
      "x_WorkspaceId",
      "x_ApiKeyId",
      "x_MemberId",
      "x_MemberEmail",
      "x_Groups",
      "x_Model",
      "x_TokenType",
      "x_AdjustmentId",
    ]);
  });

  test("that allow no null have a value in every row", () => {
    for (const row of [...rowsOf(usage), ...rowsOf(adjustment)]) {
      for (const name of notNull) expect([name, row[name]]).toEqual([name, expect.any(String)]);
    }
  });
});

test("a line of usage has a row for each kind of unit, with exact amounts", () => {
  const [input, search, ...others] = rowsOf(usage);
  expect(others).toEqual([]);
  expect(input).toMatchObject({
    BillingPeriodStart: "2026-10-01T00:00:00Z",
    BillingPeriodEnd: "2026-11-01T00:00:00Z",
    ChargeCategory: "Usage",
    ChargeClass: null,
    ListCost: "4.50",
    BilledCost: "4.05",
    ContractedCost: "4.05",
    EffectiveCost: "4.05",
    ConsumedQuantity: "1500000",
    ConsumedUnit: "Tokens",
    PricingQuantity: "1.5",
    PricingUnit: "1000000 Tokens",
    ListUnitPrice: "3",
    ContractedUnitPrice: "2.7",
    PricingCategory: "Standard",
    RegionId: "us",
    ServiceCategory: "AI and Machine Learning",
    SkuId: "claude-sonnet-5/input",
    SkuPriceId: "claude-sonnet-5/input/standard/0-200k/us/standard",
    SubAccountName: "Search",
    ResourceName: "ranking",
    Tags: '{"cost_center":"47\\"11"}',
    x_MemberEmail: "ada@example.com",
    x_Groups: "Engineering, group_2",
    x_TokenType: "input",
  });
  expect(search).toMatchObject({
    ListCost: "0.02",
    BilledCost: "0.018",
    PricingQuantity: "2",
    PricingUnit: "Searches",
    ListUnitPrice: "0.01",
    x_TokenType: "web_search",
  });
});

test("an adjustment of an earlier month is a correction without units", () => {
  expect(rowsOf(adjustment)).toMatchObject([
    {
      BillingPeriodStart: "2026-10-01T00:00:00Z",
      ChargePeriodStart: "2026-08-01T00:00:00Z",
      ChargePeriodEnd: "2026-09-01T00:00:00Z",
      ChargeCategory: "Adjustment",
      ChargeClass: "Correction",
      ListCost: "-0.00000003",
      BilledCost: "-0.000000027",
      PricingQuantity: null,
      PricingUnit: null,
      SkuId: null,
      x_AdjustmentId: "adj_1",
    },
  ]);
});

test("a simulated line has no row", () => {
  expect(rowsOf({ ...usage, kind: "simulated" })).toEqual([]);
});

test("a discount is split over the parts of a line without a remainder", () => {
  expect(splitDiscount([1n, 1n, 1n], 100n)).toEqual([33n, 33n, 34n]);
  expect(splitDiscount([0n, 7n, 0n], -5n)).toEqual([0n, -5n, 0n]);
  expect(splitDiscount([0n, 0n], 0n)).toEqual([0n, 0n]);
});
