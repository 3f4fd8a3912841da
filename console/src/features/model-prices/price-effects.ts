import type { Answer } from "../../api-client.ts";
import { listNames } from "../../kit/consequences/sentences.ts";
import {
  formatPlural,
  formatShare,
  formatUsd,
  formatUtcDay,
  nanoToUsdText,
  shareOf,
  toNanoUsd,
} from "../../ui/format.ts";

// Effects of a new price and of neutral features, as sentences.

export type PricePreview = Answer<"previewModelPrice">;

interface NewPrice {
  /** Undefined: unknown. */
  preview: PricePreview | undefined;
  /** Monthly limit of the company. Null: it has none. Undefined: unknown. */
  monthlyLimitUsd: string | null | undefined;
}

/** Effects of a new price on cost and on the company's monthly limit. */
export function describeNewPrice({ preview, monthlyLimitUsd }: NewPrice): string[] {
  if (!preview) return [];
  const isNow = preview.effective_from <= preview.ending_at;
  const start = isNow ? "now" : formatUtcDay(preview.effective_from);
  return [
    `Requests from ${start} on have the new price. Earlier cost stays the same.`,
    ...(preview.requests === 0
      ? ["No request of the last 30 days would have cost more or less."]
      : describeReplay(preview, monthlyLimitUsd)),
    "To undo it, set the earlier price again.",
  ];
}

function describeReplay(preview: PricePreview, limitUsd: string | null | undefined): string[] {
  const { models, requests, cost_usd, new_cost_usd } = preview;
  return [
    `${formatPlural(requests, "request")} of the last 30 days would have cost ${formatUsd(new_cost_usd)} instead of ${formatUsd(cost_usd)}: ${listNames(models)}.`,
    ...(limitUsd ? [describeLimit(preview, limitUsd)] : []),
    "Limits, alerts and forecasts count the new price.",
  ];
}

function describeLimit(
  { organization_cost_usd, cost_usd, new_cost_usd }: PricePreview,
  limitUsd: string,
): string {
  const before = toNanoUsd(organization_cost_usd);
  const after = before + toNanoUsd(new_cost_usd) - toNanoUsd(cost_usd);
  const total = nanoToUsdText(after > 0n ? after : 0n);
  const [share, shareBefore] = [shareOf(total, limitUsd), shareOf(organization_cost_usd, limitUsd)];
  return `All models would have cost ${formatUsd(total)}: ${formatShare(share)} of the company’s monthly limit, instead of ${formatShare(shareBefore)}.`;
}

interface Feature {
  name: string;
  /** Strict limits that hold cost before a request. Undefined: unknown. */
  strictLimits: number | undefined;
}

/** Effects of a feature that becomes neutral. */
export function describeAddedFeature({ strictLimits }: Omit<Feature, "name">): string[] {
  return [
    describeLimits(strictLimits, "with it like requests without it"),
    "If the feature raises the price after all, spend can exceed these limits.",
    "Keys with allowed models accept it from now on.",
  ];
}

/** Effects of a feature that is unknown again. */
export function describeDeletedFeature({ name, strictLimits }: Feature): string[] {
  return [
    describeLimits(strictLimits, `with ${name} at the highest price`),
    `Keys with allowed models refuse requests with ${name}.`,
    "To undo it, add the feature again.",
  ];
}

function describeLimits(count: number | undefined, how: string): string {
  const limits =
    count === undefined
      ? "Strict limits hold"
      : formatPlural(count, "strict limit holds", "strict limits hold");
  return `${limits} requests ${how}.`;
}
