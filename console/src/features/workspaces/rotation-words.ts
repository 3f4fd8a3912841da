import { formatPlural } from "../../ui/format.ts";

interface Rotation {
  /** Null: no policy. */
  rotationDays: number | null;
  /** Null: not entered yet. */
  remindDays: number | null;
  graceDays: number | null;
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
