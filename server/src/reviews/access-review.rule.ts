import type { AccessPath, AccessSignal } from "@bursar/contract/access-paths.ts";
import { isoFromMs, msFromIsoDate, periodOf } from "#src/domain/spend-period.ts";

// The rules of access reviews: what is recommended, what counts in the end, and when the next one begins.

const DAY_MS = 86_400_000;

/** What is known of one access, as far as a recommendation looks at it. Times are milliseconds since the epoch. */
export interface AccessFacts {
  path: AccessPath;
  /** A role, or the permission of a key; "" for an admin key. */
  role: string;
  grantedAtMs: number;
  /** Since when uses are noted, where that is later than the access was given; null: since then. */
  notedSinceMs: number | null;
  /** Null: never, as far as uses are noted. */
  lastUsedAtMs: number | null;
  expiresAtMs: number | null;
}

export type Recommendation = "keep" | "remove";

const wideRoles: readonly string[] = ["owner", "admin", "workspace_admin"];

/** What is to be seen at the access. Nobody is called never used whose first uses were not noted. */
export function signalsOf(access: AccessFacts, nowMs: number): AccessSignal[] {
  const idle = idleDays(access, nowMs);
  const isKey = access.path !== "organization_role" && access.path !== "workspace_role";
  const isWide = access.path === "admin_key" || wideRoles.includes(access.role);
  const found: (AccessSignal | false)[] = [
    access.lastUsedAtMs === null && access.notedSinceMs === null && "never_used",
    idle >= 90 && "unused_90_days",
    idle >= 30 && idle < 90 && "unused_30_days",
    isKey && access.expiresAtMs === null && "never_expires",
    isWide && "wide_permission",
  ];
  return found.filter((signal) => signal !== false);
}

/** Remove what nobody has used for `inactiveDays`, or ever since it was given so long ago. */
export function recommend(
  access: AccessFacts,
  { nowMs, inactiveDays }: { nowMs: number; inactiveDays: number },
): Recommendation {
  const idle = idleDays(access, nowMs);
  return idle >= inactiveDays ? "remove" : "keep";
}

/** Days since the last use, or since it was given, or since uses are noted at all. */
function idleDays({ lastUsedAtMs, grantedAtMs, notedSinceMs }: AccessFacts, nowMs: number): number {
  return (nowMs - Math.max(lastUsedAtMs ?? 0, grantedAtMs, notedSinceMs ?? 0)) / DAY_MS;
}

export type Decision = "keep" | "remove" | "not_sure";
export type IfNoAnswer = "keep" | "remove" | "as_recommended";

/** What counts at the end: a reviewer's word, else what was agreed on for none. "Not sure" is no answer. */
export function finalAnswer(
  item: { decision: Decision | null; recommendation: Recommendation },
  ifNoAnswer: IfNoAnswer,
): { answer: "keep" | "remove"; isDecided: boolean } {
  const { decision } = item;
  if (decision === "keep" || decision === "remove") return { answer: decision, isDecided: true };
  const answer = ifNoAnswer === "as_recommended" ? item.recommendation : ifNoAnswer;
  return { answer, isDecided: false };
}

export type Recurrence = "none" | "monthly" | "quarterly" | "yearly";
const months: Readonly<Record<Exclude<Recurrence, "none">, number>> = {
  monthly: 1,
  quarterly: 3,
  yearly: 12,
};

/**
 * The first time of the series after `afterMs`, in UTC: the day of the month that the series began on, or the month's
 * last where it has no such day. Null for what does not recur.
 */
export function nextBeginning(
  firstMs: number,
  recurrence: Recurrence,
  afterMs: number,
): number | null {
  if (recurrence === "none") return null;
  const step = months[recurrence];
  const passed = monthNumber(afterMs) - monthNumber(firstMs);
  // The turn before the month of `afterMs` is never later than it, so at most two steps are left.
  let turn = Math.max(1, Math.floor(passed / step) - 1);
  while (addMonths(firstMs, turn * step) <= afterMs) turn++;
  return addMonths(firstMs, turn * step);
}

function addMonths(firstMs: number, count: number): number {
  const month = monthNumber(firstMs) + count;
  const year = String(Math.floor(month / 12)).padStart(4, "0");
  const startMs = msFromIsoDate(`${year}-${String((month % 12) + 1).padStart(2, "0")}-01`);
  const lastDay = (periodOf("monthly", startMs).endMs - startMs) / DAY_MS - 1;
  const sinceFirstMs = firstMs - periodOf("monthly", firstMs).startMs;
  const day = Math.min(Math.floor(sinceFirstMs / DAY_MS), lastDay);
  return startMs + day * DAY_MS + (sinceFirstMs % DAY_MS);
}

/** Months since the year 0. */
function monthNumber(atMs: number): number {
  const [year = 0, month = 0] = isoFromMs(atMs).slice(0, 7).split("-").map(Number);
  return year * 12 + month - 1;
}

export type ReminderKind = "due_in_7_days" | "due_in_1_day" | "overdue";

/** The one reminder that is due now, if it was not due when the review began: later ones take the place of earlier. */
export function reminderDue(
  review: { beganAtMs: number; dueAtMs: number },
  nowMs: number,
): ReminderKind | null {
  const times: readonly [ReminderKind, number][] = [
    ["overdue", review.dueAtMs],
    ["due_in_1_day", review.dueAtMs - DAY_MS],
    ["due_in_7_days", review.dueAtMs - 7 * DAY_MS],
  ];
  const due = times.find(([, atMs]) => nowMs >= atMs);
  if (due === undefined || due[1] <= review.beganAtMs) return null;
  return due[0];
}
