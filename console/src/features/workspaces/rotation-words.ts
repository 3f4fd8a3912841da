import { formatPlural } from "../../ui/format.ts";

interface Rotation {
  /** Null: no policy. */
  rotationDays: number | null;
  /** Null while it is not entered. */
  remindDays: number | null;
  graceDays: number | null;
}

/** What a rotation policy does to keys, in a few sentences. */
export function describeRotation({ rotationDays, remindDays, graceDays }: Rotation): string {
  if (rotationDays === null)
    return "Keys of this workspace keep their secrets as long as they live.";
  if (remindDays === null || graceDays === null) return "";
  const days = (count: number) => formatPlural(count, "day");
  return (
    `Each key needs a new secret every ${days(rotationDays)}. Its owner is reminded by mail ${days(remindDays)} before; ` +
    "for a key of the workspace, its Workspace Admins are. " +
    `A key that is not rotated expires ${days(graceDays)} after it was due, ${days(rotationDays + graceDays)} old, and programs that use it stop. ` +
    `Keys that are older already get ${days(remindDays)} from when this is saved.`
  );
}
