import { z } from "zod";
import { periodNames } from "#src/domain/spend-period.ts";
import { type OpenEndedHolds, WORST_CASES } from "#src/spend/ledger/open-ended-holds.ts";

// Highest holds of open-ended requests as JSON, from the hold of a batch to its end.

const nanoUsd = z.string().transform((text) => BigInt(text));

const storedHolds = z.object({
  mostNanoUsd: nanoUsd.nullable(),
  chosen: z.array(
    z.object({
      scopeType: z.enum(["organization", "workspace", "api_key", "member", "group", "tag"]),
      scopeId: z.string(),
      period: z.enum(periodNames),
      nanoUsd,
    }),
  ),
});

/** Null: every balance holds the worst case. */
export function encodeOpenEnded(holds: OpenEndedHolds): string | null {
  if (holds.chosen.length === 0) return null;
  return JSON.stringify(holds, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
}

export function decodeOpenEnded(json: unknown): OpenEndedHolds {
  return json === null ? WORST_CASES : storedHolds.parse(json);
}
