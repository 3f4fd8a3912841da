import { accessPaths } from "@bursar/contract/access-paths.ts";
import { formatCount, formatPlural } from "../../ui/format.ts";
import type { Review, ReviewItem } from "./queries.ts";
import { formatAccesses, formatPathCount, joinWords } from "./words.ts";

// Effects of the end of an access review, as sentences.

type Progress = Pick<
  Review["progress"],
  "items" | "to_remove" | "undecided" | "not_sure" | "keep" | "remove"
>;

interface Closed {
  progress: Progress;
  if_no_answer: Review["if_no_answer"];
  /** Undefined: unknown. */
  items: readonly Pick<ReviewItem, "path" | "decision">[] | undefined;
}

/** Effects of a close. The server counts what ends. The items show the kinds of decided removals. */
export function describeClose({ progress, if_no_answer, items }: Closed): string[] {
  const { to_remove: ends } = progress;
  return [
    `${formatAccesses(ends)} ${ends === 1 ? "ends" : "end"} and ${formatCount(progress.items - ends)} stay. Decisions can no longer be changed.`,
    ...(items ? describeRemovals(items) : []),
    ...describeUndecided(progress, if_no_answer),
    ...(ends > 0
      ? [
          "Members are deactivated and workspace roles are removed. Both can be restored.",
          "Keys are revoked permanently: programs that use them get a 401 within a second.",
        ]
      : []),
  ];
}

function describeRemovals(items: NonNullable<Closed["items"]>): string[] {
  const removed = items.filter(({ decision }) => decision === "remove");
  const count = (path: ReviewItem["path"]) => removed.filter((item) => item.path === path).length;
  const parts = accessPaths
    .filter((path) => path !== "group_role" && count(path) > 0)
    .map((path) => formatPathCount(path, count(path)));
  const groupRoles = count("group_role");
  return [
    ...(parts.length > 0 ? [`Removed by decision: ${joinWords(parts)}.`] : []),
    ...(groupRoles > 0
      ? [`${formatPathCount("group_role", groupRoles)} can only be removed at the group.`]
      : []),
  ];
}

const withoutDecision: Record<Review["if_no_answer"], string> = {
  keep: "is kept",
  remove: "is removed, except for Owners",
  as_recommended: "is kept or removed as recommended, except for Owners",
};

function describeUndecided(
  { undecided, not_sure }: Progress,
  rule: Review["if_no_answer"],
): string[] {
  if (undecided + not_sure === 0) return [];
  const marked = not_sure > 0 ? `, and ${formatCount(not_sure)} are marked “Not sure”` : "";
  return [
    `${formatPlural(undecided, "access has", "accesses have")} no decision${marked}.`,
    `Access without a decision ${withoutDecision[rule]}.`,
  ];
}

/** Effects of a cancellation. */
export function describeCancellation({ keep, remove }: Progress, hasSeries: boolean): string[] {
  const decided = keep + remove;
  return [
    ...(decided > 0
      ? [
          `${formatPlural(decided, "decision has", "decisions have")} no effect, and stay as evidence.`,
        ]
      : []),
    ...(remove > 0 ? [`${formatAccesses(remove)} marked for removal stay.`] : []),
    ...(hasSeries ? ["The series ends: no later review starts."] : []),
  ];
}
