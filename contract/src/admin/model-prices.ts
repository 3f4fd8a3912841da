import { z } from "zod";
import { instant, optionalQuery, timestamp, usdAmount, usdText } from "../fields.ts";
import { modelName, modelPriceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { mapKeys, tokenPrices, toRecord } from "../usage-shape.ts";

/** US dollars per million tokens of each kind. */
const priceFields = z
  .object(toRecord(tokenPrices, "field", () => usdText))
  .meta({ id: "TokenPrices" });

/** Prices that follow from the input price where an override leaves them out. */
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
      description: "Null: no price is known, and usage is costed at the dearest known price.",
    }),
    effective_from: timestamp.nullable().meta({ description: "Null: from the beginning." }),
    prices: priceFields.nullable(),
    long_prompt: z
      .object({ over_prompt_tokens: z.int(), prices: priceFields })
      .nullable()
      .meta({ description: "Prices of a request with a longer prompt than that." }),
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
    "The price in force of every known model, now or at `at`. `model` finds one by its name, an alias or a dated snapshot.",
  action: "model_prices:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    at: optionalQuery(instant),
    model: optionalQuery(modelName),
  }),
  response: pageCursor(modelPrice),
});

export const createModelPrice = route({
  operationId: "createModelPrice",
  method: "POST",
  path: "/v1/admin/model_prices",
  summary: "Override a model's price from a date",
  description:
    "For exactly this model name, in force from `effective_from` (now, if omitted; it cannot lie in the past: what was " +
    "counted keeps its price). US dollars per million tokens. Cache prices that are omitted follow the published " +
    "multiples of the input price: 1.25 for a 5-minute write, 2 for a 1-hour write, 0.1 for a read.",
  action: "model_prices:write",
  audited: "model_price.created",
  body: z.strictObject({
    model: modelName,
    effective_from: instant.optional(),
    input_usd: usdAmount,
    output_usd: usdAmount,
    ...mapKeys(derivedPrices, () => usdAmount.optional()),
  }),
  response: modelPriceOverride,
});

export const modelPriceRoutes = [listModelPrices, createModelPrice] as const;
