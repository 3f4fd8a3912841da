import type {
  modelPrice,
  modelPriceOverride,
  modelPriceRoutes,
} from "@bursar/contract/admin/model-prices.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import { tokenPrices, toRecord } from "@bursar/contract/usage-shape.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import type { PriceListing } from "#src/domain/price-book.ts";
import type { TokenPrices } from "#src/domain/price-list.ts";
import { createModelPrice, listModelPrices, type StoredOverride } from "./model-prices.ts";

export function makeModelPriceHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof modelPriceRoutes)[number], Call> {
  return {
    listModelPrices: async (call, { query }) => {
      const { listings, nextPage } = await listModelPrices(deps, call, query);
      return { data: listings.map(toWire), next_page: nextPage };
    },
    createModelPrice: async (call, { body }) =>
      toOverride(await createModelPrice(deps, call, body)),
  };
}

function toWire(listing: PriceListing): z.input<typeof modelPrice> {
  const { prices } = listing;
  const fromMs = prices?.fromMs ?? null;
  return {
    type: "model_price",
    model: listing.model,
    aliases: [...listing.aliases],
    lifecycle: listing.lifecycle,
    retires_on: listing.retiresOn,
    source: prices && (prices.source === "override" ? "override" : "shipped"),
    effective_from: fromMs === null ? null : new Date(fromMs).toISOString(),
    prices: prices && toTokenPrices(prices.standard),
    long_prompt: prices?.longPrompt
      ? {
          over_prompt_tokens: prices.longPrompt.overPromptTokens,
          prices: toTokenPrices(prices.longPrompt.prices),
        }
      : null,
    fast: prices?.fast ? toTokenPrices(prices.fast) : null,
  };
}

function toOverride(row: StoredOverride): z.input<typeof modelPriceOverride> {
  return {
    id: row.id,
    type: "model_price_override",
    model: row.model,
    effective_from: new Date(row.effectiveFromMs).toISOString(),
    prices: toTokenPrices(row.prices),
    created_at: row.createdAt.toISOString(),
  };
}

function toTokenPrices(prices: TokenPrices) {
  return toRecord(tokenPrices, "field", ({ cost }) => formatUsd(prices[cost]));
}
