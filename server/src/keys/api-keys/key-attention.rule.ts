import type { AttentionIssue } from "@bursar/contract/key-issues.ts";
import type { Instant } from "#src/lib/clock.ts";

const DAY_MS = 86_400_000;

export const attentionDays = { beforeExpiry: 14, unused: 90, secretAge: 180 } as const;

export interface KeyTimes {
  status: "active" | "inactive" | "archived" | "expired";
  /** True if the key has a secret that can be rotated. */
  hasSecret: boolean;
  createdAt: Instant;
  secretCreatedAt: Instant;
  expiresAt: Instant | null;
  lastUsedAt: Instant | null;
  exceedsMaxLifetime: boolean;
}

/** Issues of a key that someone should resolve. `makeIssueCondition` of api-keys.sql.ts has the same rules. */
export function listAttention(key: KeyTimes, nowMs: number): AttentionIssue[] {
  if (key.status === "archived" || key.status === "expired") return [];
  const isBefore = (at: Instant, days: number) => at.getTime() <= nowMs + days * DAY_MS;
  const isUnused =
    isBefore(key.createdAt, -attentionDays.unused) &&
    (key.lastUsedAt === null || isBefore(key.lastUsedAt, -attentionDays.unused));
  const issues: Record<AttentionIssue, boolean> = {
    expires_within_14_days:
      key.expiresAt !== null && isBefore(key.expiresAt, attentionDays.beforeExpiry),
    unused_90_days: isUnused,
    older_than_180_days: key.hasSecret && isBefore(key.secretCreatedAt, -attentionDays.secretAge),
    exceeds_max_lifetime: key.exceedsMaxLifetime,
  };
  return (Object.keys(issues) as AttentionIssue[]).filter((issue) => issues[issue]);
}
