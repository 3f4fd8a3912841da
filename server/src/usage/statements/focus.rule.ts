import { billedMeasures, type CostPart, costParts } from "@bursar/contract/usage-shape.ts";
import { formatUsd } from "#src/domain/money.ts";
import { isoFromMs } from "#src/domain/spend-period.ts";
import { divide } from "./explain-change.rule.ts";
import { readMonth } from "./statement-month.rule.ts";
import type { LineRow, StatementNames } from "./statement-shape.rule.ts";
import { splitDiscount } from "./statement-sums.rule.ts";

// Rows of FOCUS 1.2, the FinOps Open Cost and Usage Specification: https://focus.finops.org/focus-specification/v1-2/
// A charge is one kind of unit of one line, or one adjustment. Columns without a value for this product are left out:
// commitment discounts, capacity reservations, availability zones and other currencies.

/** One kind of unit of a line. Null: the adjustment of a line. */
type Meter = (typeof billedMeasures)[number] | null;

export interface Charge {
  /** First day of the statement's month. */
  month: string;
  organization: { id: string; name: string };
  line: LineRow;
  names: StatementNames;
  meter: Meter;
  units: bigint;
  listNanoUsd: bigint;
  discountNanoUsd: bigint;
}

/** Splits a line into its charges. Simulated requests have none. */
export function listCharges(
  line: LineRow,
  rest: Pick<Charge, "month" | "organization" | "names">,
): Charge[] {
  if (line.kind === "simulated") return [];
  if (line.kind === "adjustment") {
    const { cost_nano_usd: listNanoUsd, discount_nano_usd: discountNanoUsd } = line;
    return [{ ...rest, line, meter: null, units: 0n, listNanoUsd, discountNanoUsd }];
  }
  const costs = costParts.map(({ column }) => line[column]);
  const discounts = splitDiscount(costs, line.discount_nano_usd);
  const charges = billedMeasures.map((meter, index) => ({
    ...rest,
    line,
    meter,
    units: line[meter.column],
    listNanoUsd: costs[index] ?? 0n,
    discountNanoUsd: discounts[index] ?? 0n,
  }));
  return charges.filter(({ units, listNanoUsd }) => units !== 0n || listNanoUsd !== 0n);
}

const MILLION = 1_000_000n;
const QUANTITY_DECIMALS = 6;
/** A price of a million tokens has more decimals than its cost, because it is an average. */
const PRICE_DECIMALS = 12;
const NANO_DECIMALS = 9;

/** Units of one priced quantity. */
function unitsOf(meter: Meter): bigint {
  return meter?.kind === "tokens" ? MILLION : 1n;
}

function toDecimal(value: bigint, decimals: number): string {
  const size = String(value < 0n ? -value : value).padStart(decimals + 1, "0");
  const fraction = size.slice(-decimals).replace(/0+$/, "");
  const whole = `${value < 0n ? "-" : ""}${size.slice(0, -decimals)}`;
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** Average price of one priced quantity, US dollars. Null: there is no quantity. */
function unitPrice({ meter, units }: Charge, nanoUsd: bigint): string | null {
  if (units === 0n) return null;
  const scale = 10n ** BigInt(PRICE_DECIMALS - NANO_DECIMALS);
  return toDecimal(divide(nanoUsd * scale * unitsOf(meter), units), PRICE_DECIMALS);
}

function netOf({ listNanoUsd, discountNanoUsd }: Charge): bigint {
  return listNanoUsd - discountNanoUsd;
}

function describeUnits({ meter }: Charge): string | null {
  if (meter === null) return null;
  return meter.kind === "tokens" ? "Tokens" : "Searches";
}

function describeCharge({ line, meter }: Charge): string {
  if (meter === null) return "Adjustment of one request";
  return `${line.model}, ${meter.official.words}`;
}

function listSku({ line, meter }: Charge): [model: string, part: CostPart] | null {
  return meter === null ? null : [line.model, meter.part];
}

function listTags({ line, names }: Charge): string | null {
  const ids = line.tag_ids === "" ? [] : line.tag_ids.split(",");
  const tags = ids.flatMap((id) => names.tags.get(id) ?? []);
  if (tags.length === 0) return null;
  return JSON.stringify(Object.fromEntries(tags.map(({ name, value }) => [name, value])));
}

function listGroups({ line, names }: Charge): string | null {
  const ids = line.group_ids === "" ? [] : line.group_ids.split(",");
  return ids.length === 0 ? null : ids.map((id) => names.groups.get(id) ?? id).join(", ");
}

/** FOCUS writes whole seconds. */
function toTime(ms: number): string {
  return `${isoFromMs(ms).slice(0, 19)}Z`;
}

/** Correction of an invoiced period: what arrived after its month was closed. */
function isCorrection({ line, month }: Charge): boolean {
  return line.for_month !== month;
}

const priceDetails = ({ line }: Charge) =>
  JSON.stringify({
    x_ContextWindow: line.context_window,
    x_InferenceGeo: line.inference_geo,
    x_ServiceTier: line.service_tier,
    x_Speed: line.speed,
  });

type FocusColumns = Readonly<Record<string, (charge: Charge) => string | null>>;

const costColumns: FocusColumns = {
  BilledCost: (charge) => formatUsd(netOf(charge)),
  BillingAccountId: ({ organization }) => organization.id,
  BillingAccountName: ({ organization }) => organization.name,
  BillingAccountType: () => "Organization",
  BillingCurrency: () => "USD",
  BillingPeriodEnd: ({ month }) => toTime(readMonth(month).endMs),
  BillingPeriodStart: ({ month }) => toTime(readMonth(month).startMs),
  ChargeCategory: ({ meter }) => (meter === null ? "Adjustment" : "Usage"),
  ChargeClass: (charge) => (isCorrection(charge) ? "Correction" : null),
  ChargeDescription: describeCharge,
  ChargeFrequency: ({ meter }) => (meter === null ? "One-Time" : "Usage-Based"),
  ChargePeriodEnd: ({ line }) => toTime(readMonth(line.for_month).endMs),
  ChargePeriodStart: ({ line }) => toTime(readMonth(line.for_month).startMs),
  ConsumedQuantity: ({ meter, units }) => (meter === null ? null : String(units)),
  ConsumedUnit: describeUnits,
  ContractedCost: (charge) => formatUsd(netOf(charge)),
  ContractedUnitPrice: (charge) => unitPrice(charge, netOf(charge)),
  EffectiveCost: (charge) => formatUsd(netOf(charge)),
  // A statement is no invoice. `check_focus.py` says how the specification treats such charges.
  InvoiceId: () => null,
  InvoiceIssuerName: () => "Anthropic",
  ListCost: ({ listNanoUsd }) => formatUsd(listNanoUsd),
  ListUnitPrice: (charge) => unitPrice(charge, charge.listNanoUsd),
};

const serviceColumns: FocusColumns = {
  PricingCategory: ({ meter }) => (meter === null ? null : "Standard"),
  PricingQuantity: ({ meter, units }) =>
    meter === null ? null : toDecimal((units * MILLION) / unitsOf(meter), QUANTITY_DECIMALS),
  PricingUnit: (charge) => {
    const units = describeUnits(charge);
    return units === "Tokens" ? "1000000 Tokens" : units;
  },
  ProviderName: () => "Anthropic",
  PublisherName: () => "Anthropic",
  RegionId: ({ line }) => (line.inference_geo === "us" ? "us" : null),
  RegionName: ({ line }) => (line.inference_geo === "us" ? "United States" : null),
  ResourceId: ({ line }) => line.api_key_id,
  ResourceName: ({ line, names }) => names.apiKeys.get(line.api_key_id) ?? null,
  ResourceType: () => "API key",
  ServiceCategory: () => "AI and Machine Learning",
  ServiceName: () => "Claude API",
  ServiceSubcategory: () => "Generative AI",
  SkuId: (charge) => listSku(charge)?.join("/") ?? null,
  SkuMeter: ({ meter }) => meter?.official.words ?? null,
  SkuPriceDetails: (charge) => (charge.meter === null ? null : priceDetails(charge)),
  SkuPriceId: (charge) => {
    const sku = listSku(charge);
    const { service_tier, context_window, inference_geo, speed } = charge.line;
    return sku && [...sku, service_tier, context_window, inference_geo, speed].join("/");
  },
  SubAccountId: ({ line }) => line.workspace_id,
  SubAccountName: ({ line, names }) => names.workspaces.get(line.workspace_id) ?? null,
  SubAccountType: () => "Workspace",
  Tags: listTags,
};

const ownColumns: FocusColumns = {
  x_WorkspaceId: ({ line }) => line.workspace_id,
  x_ApiKeyId: ({ line }) => line.api_key_id,
  x_MemberId: ({ line }) => (line.member_id === "" ? null : line.member_id),
  x_MemberEmail: ({ line, names }) => names.members.get(line.member_id)?.email ?? null,
  x_Groups: listGroups,
  x_Model: ({ line }) => (line.model === "" ? null : line.model),
  x_TokenType: ({ meter }) => meter?.part ?? null,
  x_AdjustmentId: ({ line }) => (line.adjustment_id === "" ? null : line.adjustment_id),
};

/** Columns in the order of the specification, then columns of this product. */
export const focusColumns: FocusColumns = { ...costColumns, ...serviceColumns, ...ownColumns };

export const focusAmounts: readonly string[] = [
  "BilledCost",
  "ContractedCost",
  "ContractedUnitPrice",
  "EffectiveCost",
  "ListCost",
  "ListUnitPrice",
];
