import { z } from "zod";
import { count, instant, optionalQuery, timestamp, usdAmount, usdText } from "../fields.ts";
import { modelName, modelPriceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { mapKeys, tokenPrices, toRecord } from "../usage-shape.ts";

/** US dollars per million tokens of each kind. */
const priceFields = z
  .object(toRecord(tokenPrices, "field", () => usdText))
  .meta({ id: "TokenPrices" });

/** Prices that follow from the input price if an override omits them. */
const derivedPrices = tokenPrices
  .map(({ field }) => field)
  .filter((field) => field !== "input_usd" && field !== "output_usd");

export const modelPrice = z
  .object({
    type: z.literal("model_price"),
    model: z.string(),
    aliases: z.array(z.string()),
    lifecycle: z.enum(["active", "retired"]),
    retires_on: z.string().nullable(),
    source: z.enum(["shipped", "override"]).nullable().meta({
      description: "Null: no price is known. Cost is estimated at the highest rate.",
    }),
    effective_from: timestamp.nullable().meta({ description: "Null: in force from the start." }),
    prices: priceFields.nullable(),
    long_prompt: z
      .object({ over_prompt_tokens: z.int(), prices: priceFields })
      .nullable()
      .meta({ description: "Prices of requests with a longer prompt." }),
    fast: priceFields.nullable().meta({ description: "Prices in fast mode." }),
  })
  .meta({ id: "ModelPrice" });

export const modelPriceOverride = z
  .object({
    id: modelPriceId,
    type: z.literal("model_price_override"),
    model: z.string(),
    effective_from: timestamp,
    prices: priceFields,
    created_at: timestamp,
  })
  .meta({ id: "ModelPriceOverride" });

export const listModelPrices = route({
  operationId: "listModelPrices",
  method: "GET",
  path: "/v1/admin/model_prices",
  summary: "List model prices",
  description:
    "Lists the price of every known model, now or at the time `at`. `model` finds one by its name, an alias or a dated snapshot.",
  action: "model_prices:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    at: optionalQuery(instant),
    model: optionalQuery(modelName),
  }),
  response: pageCursor(modelPrice),
});

const newPrice = z.strictObject({
  model: modelName,
  effective_from: instant.optional(),
  input_usd: usdAmount,
  output_usd: usdAmount,
  ...mapKeys(derivedPrices, () => usdAmount.optional()),
});

export const createModelPrice = route({
  operationId: "createModelPrice",
  method: "POST",
  path: "/v1/admin/model_prices",
  summary: "Override a model's price",
  description:
    "Applies to exactly this model name, from `effective_from` or now. The time cannot be in the past, since recorded cost " +
    "keeps its price. Prices are US dollars per million tokens. Omitted cache prices are multiples of the input price: " +
    "1.25 for a 5-minute write, 2 for a 1-hour write, 0.1 for a read.",
  action: "model_prices:write",
  audited: "model_price.created",
  stepUp: "if_wider",
  body: newPrice,
  response: modelPriceOverride,
});

export const modelPricePreview = z
  .object({
    type: z.literal("model_price_preview"),
    starting_at: timestamp.meta({ description: "Start of the usage: 30 days before today, UTC." }),
    ending_at: timestamp,
    effective_from: timestamp,
    models: z.array(z.string()).meta({ description: "Names whose cost the price changes." }),
    requests: count.meta({ description: "Requests of these models." }),
    cost_usd: usdText.meta({ description: "Their cost by the prices without the new one." }),
    new_cost_usd: usdText.meta({ description: "Their cost by the new price." }),
    organization_cost_usd: usdText.meta({ description: "Recorded cost of all models." }),
  })
  .meta({ id: "ModelPricePreview" });

export const previewModelPrice = route({
  operationId: "previewModelPrice",
  method: "POST",
  path: "/v1/admin/model_prices/preview",
  summary: "Preview a model price",
  description:
    "Computes what the requests of the last 30 days would have cost by the new price, without simulated ones. Changes nothing.",
  action: "model_prices:write",
  audited: null,
  body: newPrice,
  response: modelPricePreview,
});

export const modelPriceRoutes = [listModelPrices, createModelPrice, previewModelPrice] as const;
