import type {
  modelPrice,
  modelPriceOverride,
  modelPricePreview,
  modelPriceRoutes,
} from "@bursar/contract/admin/model-prices.ts";
import type {
  neutralFeature,
  neutralFeatureRoutes,
} from "@bursar/contract/admin/neutral-features.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import { tokenPrices, toRecord } from "@bursar/contract/usage-shape.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import type { PriceListing } from "#src/domain/price-book.ts";
import type { TokenPrices } from "#src/domain/price-list.ts";
import {
  createModelPrice,
  listModelPrices,
  type PricePreview,
  previewModelPrice,
  type StoredOverride,
} from "./model-prices.ts";
import {
  deleteNeutralFeature,
  type ListedFeature,
  listNeutralFeatures,
  setNeutralFeature,
} from "./neutral-features.ts";

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
    previewModelPrice: async (call, { body }) =>
      toPreview(await previewModelPrice(deps, call, body)),
  };
}

export function makeNeutralFeatureHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof neutralFeatureRoutes)[number], Call> {
  return {
    listNeutralFeatures: async (call, { query }) => {
      const { features, nextPage } = await listNeutralFeatures(deps, call, query);
      return { data: features.map(toFeature), next_page: nextPage };
    },
    setNeutralFeature: async (call, { body }) => {
      const row = await setNeutralFeature(deps, call, body);
      return toFeature({ origin: "organization", row });
    },
    deleteNeutralFeature: async (call, { params: { neutral_feature_id: id } }) => {
      return { ...(await deleteNeutralFeature(deps, call, id)), type: "neutral_feature_deleted" };
    },
  };
}

function toFeature(listed: ListedFeature): z.input<typeof neutralFeature> {
  const { origin, row } = listed;
  const own = listed.origin === "organization" ? listed.row : null;
  const updatedAt = own?.updatedAt.toISOString() ?? null;
  return {
    type: "neutral_feature",
    id: own?.id ?? null,
    kind: row.kind,
    name: row.name,
    effect: row.effect,
    source: row.source,
    since: listed.origin === "shipped" ? listed.row.since : (updatedAt ?? "").slice(0, 10),
    is_in_prompt: row.isInPrompt,
    origin,
    updated_at: updatedAt,
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

function toPreview(preview: PricePreview): z.input<typeof modelPricePreview> {
  const { fromMs, toMs, effectiveFromMs, models, requests } = preview;
  return {
    type: "model_price_preview",
    starting_at: new Date(fromMs).toISOString(),
    ending_at: new Date(toMs).toISOString(),
    effective_from: new Date(effectiveFromMs).toISOString(),
    models,
    requests,
    cost_usd: formatUsd(preview.costNanoUsd),
    new_cost_usd: formatUsd(preview.newCostNanoUsd),
    organization_cost_usd: formatUsd(preview.organizationCostNanoUsd),
  };
}

function toTokenPrices(prices: TokenPrices) {
  return toRecord(tokenPrices, "field", ({ cost }) => formatUsd(prices[cost]));
}
