const DAY_MS = 86_400_000;

export interface RotationPolicy {
  /** Maximum age of a key's secret. */
  rotationDays: number;
  /** Time between the reminder and the due date. */
  remindDays: number;
  /** Time between the due date and the expiry. */
  graceDays: number;
  /** Start of this policy, in milliseconds since the epoch. */
  effectiveAtMs: number;
}

export interface RotationTimes {
  remindAtMs: number;
  dueAtMs: number;
  expireAtMs: number;
}

/**
 * Computes when a secret must be replaced. The reminder comes no earlier than the start of the policy, so a new or stricter
 * policy makes no key overdue on its first day.
 */
export function computeRotationTimes(
  secretCreatedAtMs: number,
  policy: RotationPolicy,
): RotationTimes {
  const byAge = secretCreatedAtMs + policy.rotationDays * DAY_MS;
  const dueAtMs = Math.max(byAge, policy.effectiveAtMs + policy.remindDays * DAY_MS);
  return {
    remindAtMs: dueAtMs - policy.remindDays * DAY_MS,
    dueAtMs,
    expireAtMs: dueAtMs + policy.graceDays * DAY_MS,
  };
}

export type RotationStep = "due" | "overdue" | "expired";

/** Returns the step that is required at `nowMs`, or null. */
export function findRotationStep(times: RotationTimes, nowMs: number): RotationStep | null {
  if (nowMs >= times.expireAtMs) return "expired";
  if (nowMs >= times.dueAtMs) return "overdue";
  return nowMs >= times.remindAtMs ? "due" : null;
}

/** True where keys can be due or expire earlier than under the policy `before`. */
export function isStricter(policy: RotationPolicy, before: RotationPolicy): boolean {
  return (
    policy.rotationDays < before.rotationDays ||
    policy.rotationDays + policy.graceDays < before.rotationDays + before.graceDays
  );
}
