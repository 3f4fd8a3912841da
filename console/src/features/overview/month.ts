import type { Group, UsageAsked } from "../../kit/usage/queries.ts";

export type Month = Pick<UsageAsked, "startingAt" | "endingAt" | "bucket">;

/** The usage of all there is, in the same words for every part of the page, so that it is asked once. */
export function toAsked(month: Month, groupBy: Group | null): UsageAsked {
  return { ...month, groupBy, workspaceIds: [], apiKeyIds: [], models: [] };
}
