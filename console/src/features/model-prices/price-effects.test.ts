import { expect, test } from "vitest";
import {
  describeAddedFeature,
  describeDeletedFeature,
  describeNewPrice,
  type PricePreview,
} from "./price-effects.ts";

const preview: PricePreview = {
  type: "model_price_preview",
  starting_at: "2026-10-31T00:00:00.000Z",
  ending_at: "2026-11-30T06:12:00.000Z",
  effective_from: "2026-11-30T06:12:00.000Z",
  models: ["claude-opus-5"],
  requests: 1204,
  cost_usd: "400.00",
  new_cost_usd: "520.50",
  organization_cost_usd: "900.00",
};

test("a new price says what the last 30 days would have cost, also against the monthly limit", () => {
  expect(describeNewPrice({ preview, monthlyLimitUsd: "1000" })).toEqual([
    "Requests from now on have the new price. Earlier cost stays the same.",
    "1,204 requests of the last 30 days would have cost $520.50 instead of $400.00: claude-opus-5.",
    "All models would have cost $1,020.50: 102% of the company’s monthly limit, instead of 90%.",
    "Limits, alerts and forecasts count the new price.",
    "To undo it, set the earlier price again.",
  ]);
});

test("a later price of an unused model has its start and no cost", () => {
  const later = { ...preview, effective_from: "2026-12-24T00:00:00.000Z", requests: 0, models: [] };
  expect(describeNewPrice({ preview: later, monthlyLimitUsd: null })).toEqual([
    "Requests from 24 Dec 2026 (UTC) on have the new price. Earlier cost stays the same.",
    "No request of the last 30 days would have cost more or less.",
    "To undo it, set the earlier price again.",
  ]);
});

test("an unknown preview has no sentence", () => {
  expect(describeNewPrice({ preview: undefined, monthlyLimitUsd: "1000" })).toEqual([]);
});

test("a neutral feature names the strict limits that trust it", () => {
  expect(describeAddedFeature({ strictLimits: 12 })[0]).toBe(
    "12 strict limits hold requests with it like requests without it.",
  );
  expect(describeDeletedFeature({ name: "metadata", strictLimits: undefined })).toEqual([
    "Strict limits hold requests with metadata at the highest price.",
    "Keys with allowed models refuse requests with metadata.",
    "To undo it, add the feature again.",
  ]);
});
