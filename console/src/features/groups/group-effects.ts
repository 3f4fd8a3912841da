import { formatPlural } from "../../ui/format.ts";

/** Things that a group gives its members. */
interface GroupGifts {
  /** Workspaces in which the group gives a role. */
  workspaces: number;
  hasModelList: boolean;
  /** Caps, limits and rates of the group. Undefined: unknown. */
  limits: number | undefined;
}

/** Effects of deleting a group with this number of members. */
export function describeGroupDeletion(members: number, gifts: GroupGifts): string[] {
  const { workspaces, hasModelList, limits = 0 } = gifts;
  return [
    ...(members === 0 || workspaces === 0
      ? []
      : [
          `${formatPlural(members, "member loses", "members lose")} the role of the group in ${formatPlural(workspaces, "workspace")}. Personal keys there stop, unless another role remains.`,
        ]),
    ...(limits === 0
      ? []
      : [formatPlural(limits, "limit of the group ends.", "limits of the group end.")]),
    ...(hasModelList
      ? ["The list of models ends. Members without another list can use all models."]
      : []),
  ];
}

/** Effects of adding a member to a group. */
export function describeMemberAddition({
  workspaces,
  hasModelList,
  limits = 0,
}: GroupGifts): string[] {
  return [
    ...(workspaces === 0
      ? []
      : [`The member gets a role in ${formatPlural(workspaces, "workspace")}.`]),
    ...(limits === 0
      ? []
      : [
          formatPlural(
            limits,
            "limit of the group applies to the member.",
            "limits of the group apply to the member.",
          ),
        ]),
    ...(hasModelList ? ["The list of models applies to the member’s personal keys."] : []),
  ];
}

interface RemovedRole {
  /** Members with no other role in the workspace. Undefined: unknown. */
  members: number | undefined;
  /** Their working personal keys there. Undefined: unknown. */
  keys: number | undefined;
}

/** Effects of removing a group's role in a workspace. */
export function describeRoleRemoval({ members, keys }: RemovedRole): string[] {
  if (members === undefined) return [];
  if (members === 0) return ["No member loses the workspace, and no personal key stops."];
  return [
    formatPlural(members, "member loses the workspace.", "members lose the workspace."),
    ...(keys === undefined
      ? []
      : [formatPlural(keys, "personal key stops working.", "personal keys stop working.")]),
  ];
}
