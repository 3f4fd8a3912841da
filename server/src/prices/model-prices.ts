import { idPrefixes } from "@bursar/contract/ids.ts";
import { tokenPrices, toRecord } from "@bursar/contract/usage-shape.ts";
import type { Call } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import { priceSummed } from "#src/domain/cost.ts";
import { formatUsd } from "#src/domain/money.ts";
import { readCursor } from "#src/domain/page-position.ts";
import {
  MAX_PRICE_NANO_USD,
  makePriceBook,
  type PriceBook,
  type PriceListing,
  type PriceOverride,
} from "#src/domain/price-book.ts";
import { INPUT_MULTIPLES, type Multiple, type TokenPrices } from "#src/domain/price-list.ts";
import { readAmount } from "#src/domain/read-amount.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { isPriceLower } from "#src/domain/wider-access.ts";
import { newId } from "#src/lib/ids.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { insertPriceOverride, listPriceOverrides } from "./model-prices.sql.ts";
import { listModelUsage } from "./model-usage.sql.ts";

export interface ModelPriceQuery {
  limit: number;
  page?: string | undefined;
  at?: string | undefined;
  model?: string | undefined;
}

/** Lists prices in force at the requested time, in the order of the price list. The cursor is the last listed model. */
export async function listModelPrices(
  deps: AuditDeps,
  { caller }: Call,
  query: ModelPriceQuery,
): Promise<{ listings: PriceListing[]; nextPage: string | null }> {
  const filters = { list: "model_prices", at: query.at, model: query.model };
  const after = query.page && String(readCursor(query.page, filters, ["string"])[0]);
  const atMs = readMoment("at", query.at) ?? deps.nowMs();
  const book = makePriceBook(await listPriceOverrides(deps.database, caller.organizationId));
  const all =
    query.model === undefined ? book.listPrices(atMs) : findListing(book, query.model, atMs);
  const rest = after ? all.slice(all.findIndex(({ model }) => model === after) + 1) : all;
  const listings = rest.slice(0, query.limit);
  const last = listings.at(-1);
  const hasMore = rest.length > listings.length && last !== undefined;
  return { listings, nextPage: hasMore ? encodeCursor([last.model], filters) : null };
}

/** Finds the model with this name, alias or snapshot, and the prices that apply to exactly this name. */
function findListing(book: PriceBook, name: string, atMs: number): PriceListing[] {
  const prices = book.find(name, atMs);
  const listing = book
    .listPrices(atMs)
    .find(({ model, aliases }) => [model, ...aliases].some((n) => n === name || n === prices?.row));
  if (listing) return [{ ...listing, prices }];
  if (prices === null) return [];
  return [{ model: name, aliases: [], lifecycle: "active", retiresOn: null, prices }];
}

type PriceField = (typeof tokenPrices)[number]["field"];

export interface NewModelPrice extends Partial<Record<PriceField, string | number | undefined>> {
  model: string;
  effective_from?: string | undefined;
  input_usd: string | number;
  output_usd: string | number;
}

export interface PricePreview {
  /** Start of the replayed days, milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
  effectiveFromMs: number;
  /** Names of models whose cost changes. */
  models: string[];
  /** Requests of these models. */
  requests: number;
  costNanoUsd: bigint;
  newCostNanoUsd: bigint;
  /** Recorded cost of all models. */
  organizationCostNanoUsd: bigint;
}

const DAY_MS = 86_400_000;
/** Whole days before today that a preview computes again. */
const PREVIEW_DAYS = 30;

/**
 * Computes recent usage again, by the prices at the start of a new price with and without it. Simulated usage is left out.
 * Throws the refusals of `createModelPrice` about fields.
 */
export async function previewModelPrice(
  deps: AuditDeps,
  { caller }: Call,
  input: NewModelPrice,
): Promise<PricePreview> {
  const { organizationId } = caller;
  const nowMs = deps.nowMs();
  const effectiveFromMs = readStart(input.effective_from, nowMs);
  const override = { model: input.model, effectiveFromMs, prices: readPrices(input) };
  const stored = await listPriceOverrides(deps.database, organizationId);
  const fromMs = (Math.floor(nowMs / DAY_MS) - PREVIEW_DAYS) * DAY_MS;
  const usage = await listModelUsage(deps.database, { organizationId, since: new Date(fromMs) });
  const [before, after] = [makePriceBook(stored), makePriceBook([...stored, override])];
  const priced = usage.map((each) => ({
    ...each,
    before: priceSummed(before, each, effectiveFromMs),
    after: priceSummed(after, each, effectiveFromMs),
  }));
  const changed = priced.filter((each) => each.before !== each.after);
  return {
    ...{ fromMs, toMs: nowMs, effectiveFromMs },
    models: [...new Set(changed.map(({ model }) => model))].sort(),
    requests: changed.reduce((sum, each) => sum + each.requests, 0),
    costNanoUsd: changed.reduce((sum, each) => sum + each.before, 0n),
    newCostNanoUsd: changed.reduce((sum, each) => sum + each.after, 0n),
    organizationCostNanoUsd: usage.reduce((sum, each) => sum + each.costNanoUsd, 0n),
  };
}

export type StoredOverride = PriceOverride & { id: string; createdAt: Date };

/** Throws a 400 for a price that is too high or starts in the past, and a 409 for another price with this start. */
export async function createModelPrice(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewModelPrice,
): Promise<StoredOverride> {
  const nowMs = deps.nowMs();
  const effectiveFromMs = readStart(input.effective_from, nowMs);
  const row: StoredOverride = {
    id: newId(idPrefixes.modelPrice, nowMs, deps.randomBytes),
    model: input.model,
    effectiveFromMs,
    prices: readPrices(input),
    createdAt: new Date(nowMs),
  };
  if (await isBelowOtherPrices(deps, caller.organizationId, row)) checkStepUp(caller, nowMs);
  try {
    return await auditedTransaction(deps, caller, origin, async (tx) => {
      await insertPriceOverride(tx, { ...row, organizationId: caller.organizationId });
      const audit = {
        event: "model_price.created",
        subject: { type: "model_price", id: row.id },
        workspaceId: null,
        before: null,
        after: toAudit(row),
      } as const;
      return { result: row, audit };
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw refuseField(
      "effective_from",
      `${row.model} already has a price from ${new Date(effectiveFromMs).toISOString()}.`,
      "already_exists",
    );
  }
}

/** True if a token becomes cheaper than by the shipped price list, or than by the price that is in force. */
async function isBelowOtherPrices(
  deps: AuditDeps,
  organizationId: string,
  { model, effectiveFromMs, prices }: StoredOverride,
): Promise<boolean> {
  const overrides = await listPriceOverrides(deps.database, organizationId);
  return [makePriceBook([]), makePriceBook(overrides)].some((book) => {
    const before = book.find(model, effectiveFromMs) ?? book.findHighest(effectiveFromMs);
    return isPriceLower(before.standard, prices);
  });
}

const CLOCK_TOLERANCE_MS = 60_000;

/** A time within the last minute counts as now, because the client's clock may be slow. */
function readStart(text: string | undefined, nowMs: number): number {
  const startMs = readMoment("effective_from", text) ?? nowMs;
  if (startMs < nowMs - CLOCK_TOLERANCE_MS) {
    throw refuseField(
      "effective_from",
      "expected now or a later time, because the cost of past requests does not change.",
    );
  }
  return Math.max(startMs, nowMs);
}

/** Range of years for prices. A time outside it is a typing mistake. */
const FIRST_MOMENT_MS = Date.UTC(2000, 0, 1);
const LAST_MOMENT_MS = Date.UTC(2200, 0, 1);

function readMoment(field: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = Math.floor(Date.parse(text));
  if (ms >= FIRST_MOMENT_MS && ms < LAST_MOMENT_MS) return ms;
  throw refuseField(field, "expected a time in the years 2000 to 2199.");
}

function readPrices(input: NewModelPrice): TokenPrices {
  const read = (field: PriceField, amount: string | number) => {
    const nano = readAmount(field, amount);
    if (nano <= MAX_PRICE_NANO_USD) return nano;
    throw refuseField(
      field,
      `expected at most ${formatUsd(MAX_PRICE_NANO_USD)} dollars per million tokens.`,
    );
  };
  const base = read("input_usd", input.input_usd);
  return toRecord(tokenPrices, "cost", ({ cost, field }) => {
    const given = input[field];
    if (given !== undefined) return read(field, given);
    const multiple = INPUT_MULTIPLES[cost];
    const price = multiple && multiplyExactly(base, multiple);
    if (price !== null && price <= MAX_PRICE_NANO_USD) return price;
    throw refuseField(
      field,
      "send this price, because it cannot be computed exactly from input_usd.",
    );
  });
}

function multiplyExactly(amount: bigint, { numerator, denominator }: Multiple): bigint | null {
  const product = amount * numerator;
  return product % denominator === 0n ? product / denominator : null;
}

function toAudit(row: StoredOverride) {
  return {
    model: row.model,
    effective_from: new Date(row.effectiveFromMs).toISOString(),
    ...toRecord(tokenPrices, "field", ({ cost }) => formatUsd(row.prices[cost])),
  };
}
