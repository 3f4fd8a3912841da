import type { Workspace } from "../../kit/workspaces/queries.ts";

const MAX_NAMES = 3;

/** Names the workspaces in which people can create a key for themselves, in a sentence. */
export function describePersonalKeys(
  workspaces: readonly Pick<Workspace, "name" | "personal_keys">[],
): string {
  const open = workspaces.filter(({ personal_keys }) => personal_keys !== "off");
  if (open.length === 0) {
    return "No workspace allows personal keys. People whose role creates no keys need one from you.";
  }
  const names = open.slice(0, MAX_NAMES).map(({ name }) => name);
  const more = open.length - names.length;
  const list = [...names, ...(more > 0 ? [`${more} more`] : [])];
  const last = list.pop() ?? "";
  return `People can create a key in ${list.length > 0 ? `${list.join(", ")} and ${last}` : last}.`;
}
