import {
  describeAction,
  findInheritedRole,
  findReach,
  hasRight,
  type OrganizationRole,
  organizationActions,
  type Reach,
  type WorkspaceRole,
  workspaceActions,
} from "@bursar/contract/permissions.ts";
import { formatPlural } from "../../ui/format.ts";

type DescribedAction = Parameters<typeof describeAction>[0];
/** Rights of a role with their reach. */
type Rights = ReadonlyMap<DescribedAction, Reach>;

export function listWorkspaceRights(role: WorkspaceRole): Rights {
  const rights = new Map<DescribedAction, Reach>();
  for (const action of workspaceActions) {
    const reach = findReach(role, action);
    if (reach !== null) rights.set(action, reach);
  }
  return rights;
}

/** Rights in the company, and those in every workspace. */
export function listCompanyRights(role: OrganizationRole): Rights {
  const inherited = findInheritedRole(role);
  const rights = new Map<DescribedAction, Reach>();
  for (const action of organizationActions) if (hasRight(role, action)) rights.set(action, "all");
  if (inherited === null) return rights;
  return new Map([...rights, ...listWorkspaceRights(inherited)]);
}

/** Rights that the second role lacks, or has for own things only. */
export function findLostRights(before: Rights, after: Rights): DescribedAction[] {
  return [...before]
    .filter(([action, reach]) => {
      const left = after.get(action);
      return left === undefined || (reach === "all" && left === "own");
    })
    .map(([action]) => action);
}

/** Rights that a member gains and loses, a sentence each. */
export function describeRights(before: Rights, after: Rights): string[] {
  return [
    ...describeList("Gains", findLostRights(after, before)),
    ...describeList("Loses", findLostRights(before, after)),
  ];
}

/** Rights that a sentence names. Rights to change something come first. */
const NAMED = 3;

function describeList(verb: "Gains" | "Loses", actions: readonly DescribedAction[]): string[] {
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
