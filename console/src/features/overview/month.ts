import type { Group, UsageInput } from "../../kit/usage/queries.ts";

export type Month = Pick<UsageInput, "startingAt" | "endingAt" | "bucket">;

/** Query of the whole usage, the same for every part of the page, so that it runs once. */
export function toUsageQuery(month: Month, groupBy: Group | null): UsageInput {
  return { ...month, groupBy, workspaceIds: [], apiKeyIds: [], models: [] };
}
