import { formatPlural } from "../../ui/format.ts";

interface Rotation {
  /** Null: no policy. */
  rotationDays: number | null;
  /** Null: not entered yet. */
  remindDays: number | null;
  graceDays: number | null;
}

const DAY_MS = 86_400_000;

interface RotatedKey {
  status: string;
  /** Claude Code keys have no secret that can be rotated. */
  purpose: string;
  secrets: readonly { created_at: string }[];
}

/** Counts keys whose newest secret is older than the interval. These keys are due first. */
export function countOlderKeys(
  keys: readonly RotatedKey[],
  { rotationDays, nowMs }: { rotationDays: number; nowMs: number },
): number {
  return keys.filter(({ status, purpose, secrets }) => {
    const [newest] = secrets;
    const isLiving = status === "active" || status === "inactive";
    if (!isLiving || purpose !== "calls" || !newest) return false;
    return Date.parse(newest.created_at) + rotationDays * DAY_MS <= nowMs;
  }).length;
}

/** Effects of a new or stricter policy on keys that are older than its interval. */
export function describeOlderKeys(
  older: number,
  { remindDays, graceDays }: { remindDays: number; graceDays: number },
): string[] {
  if (older === 0) return ["No key is older than this interval."];
  const days = (count: number) => formatPlural(count, "day");
  return [
    `${formatPlural(older, "key is", "keys are")} older than this interval and due in ${days(remindDays)}. Their owners get an e-mail.`,
    `Without a new secret, they are refused in ${days(remindDays + graceDays)}. An expired key cannot be rotated.`,
  ];
}

/** Effects of a rotation policy, in a few sentences. */
export function describeRotation({ rotationDays, remindDays, graceDays }: Rotation): string {
  if (rotationDays === null) return "Keys of this workspace need no rotation.";
  if (remindDays === null || graceDays === null) return "";
  const days = (count: number) => formatPlural(count, "day");
  return (
    `Each key needs a new secret every ${days(rotationDays)}. ` +
    `The key owner, or the Workspace Admins for a workspace key, get an e-mail ${days(remindDays)} before. ` +
    `A key that is not rotated expires ${days(graceDays)} after the due date, at an age of ${days(rotationDays + graceDays)}. ` +
    `Older keys are due ${days(remindDays)} after this policy is saved.`
  );
}
