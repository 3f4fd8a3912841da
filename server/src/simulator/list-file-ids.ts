import { asFields, blocksOf, type WireRequest } from "./wire-request.ts";

/** Ids of the files that a request's content names. */
export function listFileIds({ messages }: WireRequest): Set<string> {
  const ids = new Set<string>();
  for (const { content } of messages) addIds(content, ids);
  return ids;
}

function addIds(content: unknown, ids: Set<string>): void {
  for (const block of blocksOf(content)) {
    const source = asFields(block.source);
    const id = source?.type === "file" ? source.file_id : block.file_id;
    if (typeof id === "string") ids.add(id);
    addIds(block.content, ids);
  }
}
