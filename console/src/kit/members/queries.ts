import { type ItemOf, useList } from "../../queries.ts";

export type Member = ItemOf<"listMembers">;

export const useMembers = (withRemoved = false, isEnabled = true) =>
  useList(
    "listMembers",
    withRemoved ? { query: { statuses: ["active", "deactivated", "removed"] } } : {},
    { isPreviousShown: true, isEnabled },
  );
