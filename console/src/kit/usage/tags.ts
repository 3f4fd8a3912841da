import { useList } from "../../queries.ts";

/** Tags of the organization that the member can see. */
export function useTags() {
  return useList("listTags", {}, { isInFirstDrawing: true });
}

/** Names of tags, in alphabetical order. */
export function useTagNames(): string[] {
  const tags = useTags().data?.items ?? [];
  return [...new Set(tags.map(({ name }) => name))].sort((a, b) => a.localeCompare(b));
}
