import { isoFromMs, type PeriodName } from "./spend-period.ts";

// Caps of a person, as Claude Code reads them: headers of a response, and the answer about usage. Both describe the same
// cap, with the same figures. A response that was allowed never says that a cap is used up.

/** A spend limit of a person or of their Claude Code key, with its spend. Integer nano-USD. */
export interface OwnCap {
  period: PeriodName;
  limitNanoUsd: bigint;
  spentNanoUsd: bigint;
  /** End of the period, milliseconds since the epoch. */
  resetMs: number;
}

const NANO_USD_PER_CENT = 10_000_000n;
/** Shares of a cap from which a client warns, the highest first. */
const THRESHOLDS = ["0.95", "0.75"] as const;
const LARGEST_ALLOWED_PERCENT = 99;

/**
 * Finds the cap that the client shows: the one with the largest share of spend. A cap that is used up comes
 * before others, and the latest reset before earlier ones. Null: no cap.
 */
export function findActiveCap(caps: readonly OwnCap[]): OwnCap | null {
  let active: OwnCap | null = null;
  for (const cap of caps) if (active === null || isBefore(active, cap)) active = cap;
  return active;
}

function isBefore(one: OwnCap, other: OwnCap): boolean {
  const [isOneUsed, isOtherUsed] = [isUsedUp(one), isUsedUp(other)];
  if (isOneUsed !== isOtherUsed) return isOtherUsed;
  if (isOneUsed) return other.resetMs > one.resetMs;
  return other.spentNanoUsd * one.limitNanoUsd > one.spentNanoUsd * other.limitNanoUsd;
}

function isUsedUp({ spentNanoUsd, limitNanoUsd }: OwnCap): boolean {
  return spentNanoUsd >= limitNanoUsd;
}

/** Whole percents of the cap, rounded down. At least 100 if it is used up. */
function percentOf({ spentNanoUsd, limitNanoUsd }: OwnCap): number {
  return limitNanoUsd === 0n ? 100 : Number((spentNanoUsd * 100n) / limitNanoUsd);
}

/** Highest threshold that the spend has reached. Null: none. */
function findThreshold(cap: OwnCap): (typeof THRESHOLDS)[number] | null {
  const percent = percentOf(cap);
  return THRESHOLDS.find((share) => percent >= Number(share) * 100) ?? null;
}

/** Headers of a response with status 200. Null: the person has no cap. */
export function toUsageHeaders(caps: readonly OwnCap[]): Readonly<Record<string, string>> | null {
  const cap = findActiveCap(caps);
  if (cap === null) return null;
  const threshold = findThreshold(cap);
  const status = threshold === null ? "allowed" : "allowed_warning";
  const resetS = String(Math.floor(cap.resetMs / 1_000));
  const percent = Math.min(percentOf(cap), LARGEST_ALLOWED_PERCENT);
  return {
    "anthropic-ratelimit-unified-status": status,
    "anthropic-ratelimit-unified-reset": resetS,
    "anthropic-ratelimit-unified-representative-claim": "overage",
    "anthropic-ratelimit-unified-overage-status": status,
    "anthropic-ratelimit-unified-overage-utilization": (percent / 100).toFixed(2),
    "anthropic-ratelimit-unified-overage-reset": resetS,
    ...(threshold !== null && {
      "anthropic-ratelimit-unified-overage-surpassed-threshold": threshold,
    }),
  };
}

interface UsageLimit {
  kind: "spend";
  group: PeriodName;
  percent: number;
  resets_at: string;
  severity: "normal" | "warning" | "critical";
  is_active: boolean;
}

interface PeriodUsage {
  limit: null;
  used_credits: number;
  utilization: null;
}

/** Answer of `GET /api/oauth/usage`. Amounts are cents. */
export interface ClientUsage {
  extra_usage: {
    is_enabled: true;
    /** Limit of the active cap, whatever its period. Null: no cap. */
    monthly_limit: number | null;
    used_credits: number;
    utilization: number | null;
    currency: "USD";
    daily?: PeriodUsage;
    weekly?: PeriodUsage;
  };
  limits: UsageLimit[];
}

/** Usage of a person with caps. */
export function toCappedUsage(caps: readonly OwnCap[], active: OwnCap): ClientUsage {
  return {
    extra_usage: {
      is_enabled: true,
      monthly_limit: toCents(active.limitNanoUsd),
      used_credits: toCents(active.spentNanoUsd),
      utilization: percentOf(active),
      currency: "USD",
    },
    limits: caps.map((cap) => ({
      kind: "spend",
      group: cap.period,
      percent: percentOf(cap),
      resets_at: isoFromMs(cap.resetMs),
      severity: severityOf(cap),
      is_active: cap === active,
    })),
  };
}

/** Usage of a person without a cap, by the spend of the current periods. */
export function toUncappedUsage(spentNanoUsd: Readonly<Record<PeriodName, bigint>>): ClientUsage {
  const usageOf = (period: PeriodName): PeriodUsage => {
    return { limit: null, used_credits: toCents(spentNanoUsd[period]), utilization: null };
  };
  return {
    extra_usage: {
      is_enabled: true,
      monthly_limit: null,
      used_credits: toCents(spentNanoUsd.monthly),
      utilization: null,
      currency: "USD",
      daily: usageOf("daily"),
      weekly: usageOf("weekly"),
    },
    limits: [],
  };
}

function severityOf(cap: OwnCap): UsageLimit["severity"] {
  const threshold = findThreshold(cap);
  if (threshold === null) return "normal";
  return threshold === "0.95" ? "critical" : "warning";
}

/** Whole cents, rounded down. Negative spend after a credit is zero. */
function toCents(nanoUsd: bigint): number {
  return nanoUsd > 0n ? Number(nanoUsd / NANO_USD_PER_CENT) : 0;
}
