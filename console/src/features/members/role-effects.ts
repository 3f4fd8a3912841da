import {
  findInheritedRole,
  type OrganizationRole,
  roleNames,
} from "@bursar/contract/permissions.ts";
import { describeStoppedPersonalKeys } from "../../kit/members/member-access.ts";
import {
  describeRights,
  findLostRights,
  listCompanyRights,
} from "../../kit/members/role-rights.ts";

interface RoleChange {
  before: OrganizationRole;
  after: OrganizationRole;
  /** True: the signed-in member. */
  isSelf: boolean;
  /** Undefined: unknown. */
  activeOwners: number | undefined;
  /** Personal keys that stop. Undefined: unknown. */
  stoppedKeys: readonly { name: string }[] | undefined;
}

/** Effects of another company role. */
export function describeRoleChange(change: RoleChange): string[] {
  const { before, after, isSelf, activeOwners, stoppedKeys } = change;
  if (before === after) return [];
  if (before === "owner" && activeOwners === 1) {
    return ["The last Owner keeps the role, so this change is refused. Add another Owner first."];
  }
  const [had, has] = [listCompanyRights(before), listCompanyRights(after)];
  return [
    ...(isSelf ? ["You change your own role. Someone else must give it back."] : []),
    ...describeRights(had, has),
    ...describeInherited(findInheritedRole(before), findInheritedRole(after)),
    ...(findLostRights(had, has).length === 0 || stoppedKeys === undefined
      ? []
      : [describeStoppedPersonalKeys(stoppedKeys)]),
  ];
}

type Inherited = ReturnType<typeof findInheritedRole>;

function describeInherited(before: Inherited, after: Inherited): string[] {
  if (before === after) return [];
  return after === null
    ? ["Loses every workspace without an assigned role or one of a group."]
    : [`Becomes ${roleNames[after]} in every workspace.`];
}
