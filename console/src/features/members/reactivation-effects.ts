import {
  findInheritedRole,
  type OrganizationRole,
  roleNames,
} from "@bursar/contract/permissions.ts";
import { listNames } from "../../kit/consequences/sentences.ts";
import { formatPlural } from "../../ui/format.ts";

interface StoppedKey {
  name: string;
  status: string;
  stopped_because: string | null;
}

interface Reactivation {
  role: OrganizationRole;
  /** Keys of the member. Undefined: unknown. */
  keys: readonly StoppedKey[] | undefined;
}

const ownerReasons: readonly (string | null)[] = ["owner_deactivated", "owner_outside_workspace"];

/** Effects of a reactivation. A deactivation has ended the roles in workspaces that the company role does not include. */
export function describeReactivation({ role, keys }: Reactivation): string[] {
  const signIn = `The member can sign in again, with the company role ${roleNames[role]}.`;
  if (keys === undefined) return [signIn];
  const stopped = keys.filter(
    ({ status, stopped_because: reason }) => status === "active" && ownerReasons.includes(reason),
  );
  if (stopped.length === 0) return [signIn, "No personal key works again."];
  const names = listNames(stopped.map(({ name }) => name));
  const count = formatPlural(stopped.length, "personal key works", "personal keys work");
  const condition =
    findInheritedRole(role) === null
      ? ", once the member has a role in the workspace of the key"
      : "";
  return [signIn, `${count} again${condition}: ${names}.`];
}
