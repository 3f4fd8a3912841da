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
  /** Parts of the holds of message batches that the lines of this batch no longer need. */
  released: { holdId: string; nanoUsd: bigint }[];
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
    released: z.array(z.object({ holdId: z.string(), nanoUsd })).default([]),
  }),
);

/** Formats the overruns and unresolved holds of a batch as JSON. */
export function encodeHoldCharges(batch: readonly EndRecord[]): string {
  return encode(listHoldCharges(batch));
}

/** As `encodeHoldCharges`, for ended lines of a message batch whose hold becomes smaller by `releases`. */
export function encodeLineCharges(
  batch: readonly EndRecord[],
  releases: readonly (LeaseKey & { holdId: string; nanoUsd: bigint })[],
): string {
  const released = releases.map(({ holdId, nanoUsd, ...key }) => {
    const nothing = { overrunNanoUsd: 0n, beyond: [], beyondRequests: 0, unresolved: [] };
    return { ...key, ...nothing, released: [{ holdId, nanoUsd }] };
  });
  return encode([...listHoldCharges(batch), ...released]);
}

function listHoldCharges(batch: readonly EndRecord[]): Partial<HoldCharge>[] {
  if (!batch.some(hasHoldCharge)) return [];
  const charges = sumCharges(batch).filter(
    ({ overrunNanoUsd, unresolved }) => overrunNanoUsd > 0n || unresolved.length > 0,
  );
  return charges.map(({ nanoUsd: _, ...charge }) => charge);
}

function encode(charges: readonly Partial<HoldCharge>[]): string {
  if (charges.length === 0) return "[]";
  return JSON.stringify(charges, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
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
