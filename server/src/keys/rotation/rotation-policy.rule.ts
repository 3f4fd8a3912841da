const DAY_MS = 86_400_000;

export interface RotationPolicy {
  /** Age at which a key's secret must be replaced. */
  rotationDays: number;
  /** Its owner hears of it so many days before. */
  remindDays: number;
  /** So many days after it was due, the key expires. */
  graceDays: number;
  /** Since when these numbers hold, in milliseconds since the epoch. */
  effectiveAtMs: number;
}

export interface RotationTimes {
  remindAtMs: number;
  dueAtMs: number;
  expireAtMs: number;
}

/**
 * When the secret of a key has to be replaced. A policy that is new, or stricter than before, gives every key the time of
 * the reminder and the grace from then on: none is late on the day that the rule is made.
 */
export function rotationTimes(secretCreatedAtMs: number, policy: RotationPolicy): RotationTimes {
  const byAge = secretCreatedAtMs + policy.rotationDays * DAY_MS;
  const dueAtMs = Math.max(byAge, policy.effectiveAtMs + policy.remindDays * DAY_MS);
  return {
    remindAtMs: dueAtMs - policy.remindDays * DAY_MS,
    dueAtMs,
    expireAtMs: dueAtMs + policy.graceDays * DAY_MS,
  };
}

export type RotationStep = "due" | "overdue" | "expired";

/** What is to be done about the secret at `nowMs`, or null. */
export function rotationStep(times: RotationTimes, nowMs: number): RotationStep | null {
  if (nowMs >= times.expireAtMs) return "expired";
  if (nowMs >= times.dueAtMs) return "overdue";
  return nowMs >= times.remindAtMs ? "due" : null;
}

/** True where a key can be due or expire earlier by `asked` than by `before`. */
export function isStricter(asked: RotationPolicy, before: RotationPolicy): boolean {
  return (
    asked.rotationDays < before.rotationDays ||
    asked.rotationDays + asked.graceDays < before.rotationDays + before.graceDays
  );
}
