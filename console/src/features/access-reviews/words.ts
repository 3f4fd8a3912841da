import type { AccessPath } from "@bursar/contract/access-paths.ts";
import type { Answer } from "../../api-client.ts";
import type { Tone } from "../../ui/badge.tsx";
import { formatCount, formatPlural, formatUtcDay } from "../../ui/format.ts";
import type { Review, ReviewItem } from "./queries.ts";

const DAY_MS = 86_400_000;

export type Decision = NonNullable<ReviewItem["decision"]>;
export type Result = NonNullable<ReviewItem["result"]>;

export const decisionWords: Record<Decision, { label: string; tone: Tone; key: string }> = {
  keep: { label: "Keep", tone: "good", key: "y" },
  remove: { label: "Remove", tone: "bad", key: "n" },
  not_sure: { label: "Not sure", tone: "warn", key: "u" },
};
export const decisions = ["keep", "remove", "not_sure"] as const satisfies readonly Decision[];

export const resultWords: Record<Result, { label: string; tone: Tone }> = {
  kept: { label: "Kept", tone: "plain" },
  removed: { label: "Removed", tone: "good" },
  already_gone: { label: "Already removed", tone: "plain" },
  not_applied: { label: "Not applied", tone: "bad" },
};

export const ruleWords: Record<Review["if_no_answer"], { label: string; hint: string }> = {
  keep: { label: "Keep", hint: "Only access with the decision “Remove” is removed." },
  remove: {
    label: "Remove",
    hint: "Access without a decision is removed. Owners are never removed without a decision.",
  },
  as_recommended: {
    label: "Follow recommendation",
    hint: "Unused access is removed and other access is kept. Owners are never removed without a decision.",
  },
};

export const recurrenceWords: Record<Review["recurrence"], string> = {
  none: "Once",
  monthly: "Every month",
  quarterly: "Every three months",
  yearly: "Every year",
};

/** Reason for the recommendation, from facts at the start of the review. */
export function describeRecommendation(item: ReviewItem, beganAt: string): string {
  const days = (from: string) =>
    Math.max(0, Math.floor((Date.parse(beganAt) - Date.parse(from)) / DAY_MS));
  if (item.last_used_at) {
    // The access was granted again after its last use, so only the time since then counts.
    if (item.last_used_at < item.granted_at) {
      return `granted ${formatDaysBefore(days(item.granted_at))}, not used since`;
    }
    const idle = days(item.last_used_at);
    return idle === 0
      ? "used on the day of the review"
      : `not used for ${formatPlural(idle, "day")}`;
  }
  const age = days(item.granted_at);
  if (!item.signals.includes("never_used")) return "no use recorded yet";
  return age === 0 ? "new, not used yet" : `never used, granted ${formatDaysBefore(age)}`;
}

function formatDaysBefore(days: number): string {
  return days === 0 ? "on the same day" : `${formatPlural(days, "day")} before`;
}

/** Signals besides the time without use. */
export function listExtraSignals(item: ReviewItem): string[] {
  const words = { never_expires: "never expires", wide_permission: "wide permission" } as const;
  return item.signals.flatMap((signal) =>
    signal === "never_expires" || signal === "wide_permission" ? [words[signal]] : [],
  );
}

/** Name of the reviewer who decided. Null: undecided. */
export function formatDecider(item: ReviewItem, ownId: string): string | null {
  if (!item.decided_by) return null;
  return item.decided_by.id === ownId ? "you" : item.decided_by.name;
}

/** "42 accesses" */
export function formatAccesses(count: number): string {
  return formatPlural(count, "access", "accesses");
}

const pathCounts: Record<AccessPath, readonly [one: string, many: string]> = {
  organization_role: ["company role", "company roles"],
  workspace_role: ["workspace role", "workspace roles"],
  group_role: ["role through a group", "roles through groups"],
  member_key: ["personal API key", "personal API keys"],
  workspace_key: ["workspace key", "workspace keys"],
  admin_key: ["admin key", "admin keys"],
};

/** "2 workspace keys" */
export function formatPathCount(path: AccessPath, count: number): string {
  return formatPlural(count, ...pathCounts[path]);
}

export interface Plan {
  reviewers: readonly string[];
  dueAt: string;
  ifNoAnswer: Review["if_no_answer"];
  inactiveDays: number;
  autoCloseDays: number | null;
  recurrence: Review["recurrence"];
}

export type Preview = Answer<"previewAccessReview">;

/** Effects of starting the review, as sentences. */
export function describePlan(plan: Plan, preview: Preview): string[] {
  const parts = preview.paths
    .filter(({ items }) => items > 0)
    .map(({ path, items }) => formatPathCount(path, items));
  const recommended = preview.recommended_for_removal;
  const sentences = [
    `The review lists ${formatAccesses(preview.items)}: ${joinWords(parts)}.`,
    recommended === 0
      ? `No removal is recommended: all access is new, or was used in the last ${formatPlural(plan.inactiveDays, "day")}.`
      : `Removal is recommended for ${formatCount(recommended)}: not used for ${formatPlural(plan.inactiveDays, "day")}.`,
    `${joinWords(plan.reviewers)} decide by the end of ${formatUtcDay(plan.dueAt)}. They are notified by e-mail and on their overview.`,
    describeMissingDecisions(plan.ifNoAnswer, recommended),
    plan.autoCloseDays === null
      ? "Access is removed when the review is closed manually."
      : `The review closes automatically ${describeClose(plan.autoCloseDays)}, and access is removed as decided.`,
  ];
  if (plan.recurrence !== "none") {
    sentences.push(
      `A new review starts automatically ${recurrenceWords[plan.recurrence].toLowerCase()}, with the access of that day.`,
    );
  }
  return sentences;
}

function describeMissingDecisions(rule: Review["if_no_answer"], recommended: number): string {
  if (rule === "keep") return "Access without a decision is kept.";
  if (rule === "remove") return "Access without a decision is removed, except for Owners.";
  return `Access without a decision follows the recommendation: ${formatCount(recommended)} would be removed now, except for Owners.`;
}

function describeClose(days: number): string {
  return days === 0 ? "on the due date" : `${formatPlural(days, "day")} after the due date`;
}

/** "a, b and c" */
export function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
