import type { AccessPath, AccessSignal } from "@bursar/contract/access-paths.ts";
import { isoFromMs, msFromIsoDate, periodOf } from "#src/domain/spend-period.ts";

// Rules of access reviews: recommendations, final answers and the start of the next review.

const DAY_MS = 86_400_000;

/** Facts of one access that a recommendation uses. Times in milliseconds since the epoch. */
export interface AccessFacts {
  path: AccessPath;
  /** Role, or a key's permission. Empty for an admin key. */
  role: string;
  grantedAtMs: number;
  /** Start of usage records, if later than the grant. Null: since the grant. */
  notedSinceMs: number | null;
  /** Null: no recorded use. */
  lastUsedAtMs: number | null;
  expiresAtMs: number | null;
}

export type Recommendation = "keep" | "remove";

/** False: the path of a key. */
export function isRolePath(path: AccessPath): boolean {
  return path === "organization_role" || path === "workspace_role" || path === "group_role";
}

const wideRoles: readonly string[] = ["owner", "admin", "workspace_admin"];

/** Signals shown with the access. "Never used" requires records from the first use on. */
export function signalsOf(access: AccessFacts, nowMs: number): AccessSignal[] {
  const idle = idleDays(access, nowMs);
  const isKey = !isRolePath(access.path);
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

/** Recommends removal of access that is unused for `inactiveDays` since its last use or its grant. */
export function recommend(
  access: AccessFacts,
  { nowMs, inactiveDays }: { nowMs: number; inactiveDays: number },
): Recommendation {
  const idle = idleDays(access, nowMs);
  return idle >= inactiveDays ? "remove" : "keep";
}

/** Days since the last use, the grant or the start of usage records. */
function idleDays({ lastUsedAtMs, grantedAtMs, notedSinceMs }: AccessFacts, nowMs: number): number {
  return (nowMs - Math.max(lastUsedAtMs ?? 0, grantedAtMs, notedSinceMs ?? 0)) / DAY_MS;
}

export type Decision = "keep" | "remove" | "not_sure";
export type IfNoAnswer = "keep" | "remove" | "as_recommended";

/** Final answer: the reviewer's decision, otherwise the review's default. "Not sure" is not a decision. */
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
 * Next start of the series after `afterMs`, in UTC: the first start's day of the month, or the last day of a shorter
 * month. Null for a review without recurrence.
 */
export function findNextStart(
  firstMs: number,
  recurrence: Recurrence,
  afterMs: number,
): number | null {
  if (recurrence === "none") return null;
  const step = months[recurrence];
  const passed = monthNumber(afterMs) - monthNumber(firstMs);
  // Starts one turn before the month of `afterMs`, which is never too late. At most two steps remain.
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

/**
 * Returns the one reminder due now, unless it was due when the review started. Later reminders replace earlier ones.
 */
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
