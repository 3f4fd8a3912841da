import { formatPlural } from "../../ui/format.ts";

/** Effects of another default cap for members of several groups. `cappedMembers`: members with a cap from a group. */
export function describeGroupMode(cappedMembers: number, mode: "highest" | "lowest"): string[] {
  if (cappedMembers === 0) return [];
  return [
    `${formatPlural(cappedMembers, "member has", "members have")} a cap from a group. In several groups, the ${mode} cap applies within a second.`,
    mode === "lowest"
      ? "Members who have spent their lowest cap are refused until the period ends."
      : "Members can spend up to their highest cap.",
  ];
}
