import { roleNames } from "@bursar/contract/permissions.ts";
import { formatPlural } from "../../ui/format.ts";
import type { Invite } from "./queries.ts";

type Revoked = Pick<Invite, "status" | "role" | "workspaces" | "groups">;

/** Effects of a revoked invite, as sentences. */
export function describeRevokedInvite({ status, role, workspaces, groups }: Revoked): string[] {
  if (status === "expired") return ["The link has expired already, so no access ends."];
  const places = [
    workspaces.length > 0 && formatPlural(workspaces.length, "workspace"),
    groups.length > 0 && formatPlural(groups.length, "group"),
  ].filter((place) => place !== false);
  const joined = places.length === 0 ? "" : `, with ${places.join(" and ")}`;
  return [
    `The link no longer gives the role ${roleNames[role]}${joined}.`,
    "To undo it, send another invite.",
  ];
}
