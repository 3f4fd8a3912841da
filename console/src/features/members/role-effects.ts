import {
  describeAction,
  findInheritedRole,
  findReach,
  hasRight,
  type OrganizationRole,
  organizationActions,
  roleNames,
  workspaceActions,
} from "@bursar/contract/permissions.ts";
import { describeStoppedPersonalKeys } from "../../kit/members/member-access.ts";
import { formatPlural } from "../../ui/format.ts";

type DescribedAction = Parameters<typeof describeAction>[0];

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
  const [had, has] = [rightsOf(before), rightsOf(after)];
  const lost = [...had].filter((action) => !has.has(action));
  return [
    ...(isSelf ? ["You change your own role. Someone else must give it back."] : []),
    ...describeRights(
      "Gains",
      [...has].filter((action) => !had.has(action)),
    ),
    ...describeRights("Loses", lost),
    ...describeInherited(findInheritedRole(before), findInheritedRole(after)),
    ...(lost.length === 0 || stoppedKeys === undefined
      ? []
      : [describeStoppedPersonalKeys(stoppedKeys)]),
  ];
}

/** Rights in the company, and those in every workspace. */
function rightsOf(role: OrganizationRole): ReadonlySet<DescribedAction> {
  const inherited = findInheritedRole(role);
  return new Set<DescribedAction>([
    ...organizationActions.filter((action) => hasRight(role, action)),
    ...workspaceActions.filter(
      (action) => inherited !== null && findReach(inherited, action) !== null,
    ),
  ]);
}

/** Rights that a sentence names. Rights to change something come first. */
const NAMED = 3;

function describeRights(verb: "Gains" | "Loses", actions: readonly DescribedAction[]): string[] {
  if (actions.length === 0) return [];
  const isReading = (action: string) => action.endsWith(":read");
  const sorted = [
    ...actions.filter((action) => !isReading(action)),
    ...actions.filter((action) => isReading(action)),
  ];
  const named = sorted.slice(0, NAMED).map((action) => `“${describeAction(action)}”`);
  const such = actions.length > NAMED ? ", such as" : ":";
  return [`${verb} ${formatPlural(actions.length, "right")}${such} ${named.join(", ")}.`];
}

type Inherited = ReturnType<typeof findInheritedRole>;

function describeInherited(before: Inherited, after: Inherited): string[] {
  if (before === after) return [];
  return after === null
    ? ["Loses every workspace without an assigned role or one of a group."]
    : [`Becomes ${roleNames[after]} in every workspace.`];
}
