import type { Group } from "./queries.ts";

/** Dialog over the list of groups. Several groups can be acknowledged at once. */
export type GroupAction =
  | { kind: "acknowledge"; groups: readonly Group[] }
  | { kind: "mute" | "list"; group: Group };
