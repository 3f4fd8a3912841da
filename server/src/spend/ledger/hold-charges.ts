import { z } from "zod";
import type { EndRecord } from "#src/domain/request-record.ts";
import { spentOf } from "#src/domain/request-spend.ts";
import { type BeyondHold, overrunOf, sumCharges } from "./charges.ts";
import type { LeaseKey } from "./lease-rules.ts";

// Overruns and unresolved holds of a batch, as JSON beside it. Most batches have none.

/** Overrun and unresolved holds of one balance. Integer nano-USD. */
export interface HoldCharge extends LeaseKey {
  overrunNanoUsd: bigint;
  /** Requests beyond their holds. The first ones are named, and all are counted. */
  beyond: BeyondHold[];
  beyondRequests: number;
  unresolved: { requestId: string; nanoUsd: bigint }[];
}

const nanoUsd = z.string().transform((text) => BigInt(text));
const holdCharges = z.array(
  z.object({
    organizationId: z.string(),
    scopeType: z.enum(["organization", "workspace", "api_key", "member", "group", "tag"]),
    scopeId: z.string(),
    period: z.enum(["daily", "weekly", "monthly"]),
    periodStart: z.string(),
    overrunNanoUsd: nanoUsd,
    // Nodes of version 0.1 name no requests.
    beyond: z.array(z.object({ requestId: z.string(), nanoUsd })).default([]),
    beyondRequests: z.int().default(0),
    unresolved: z.array(z.object({ requestId: z.string(), nanoUsd })),
  }),
);

/** Formats the overruns and unresolved holds of a batch as JSON. */
export function encodeHoldCharges(batch: readonly EndRecord[]): string {
  if (!batch.some(hasHoldCharge)) return "[]";
  const charges = sumCharges(batch).filter(
    ({ overrunNanoUsd, unresolved }) => overrunNanoUsd > 0n || unresolved.length > 0,
  );
  return JSON.stringify(
    charges.map(({ nanoUsd: _, ...charge }) => charge),
    (_, value: unknown) => (typeof value === "bigint" ? String(value) : value),
  );
}

function hasHoldCharge(record: EndRecord): boolean {
  const isSmaller = record.smallerHolds !== undefined && record.smallerHolds.length > 0;
  return isSmaller || overrunOf(record) > 0n || spentOf(record).unresolvedNanoUsd > 0n;
}

/** Parses the JSON of a batch. Throws an error for JSON of another shape. */
export function decodeHoldCharges(json: unknown): HoldCharge[] {
  return holdCharges.parse(json);
}
