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

/** Ids of the files that a request uploads to a container. */
export function listUploadedFileIds({ messages }: WireRequest): Set<string> {
  const blocks = messages.flatMap(({ content }) => blocksOf(content));
  const uploads = blocks.filter(({ type }) => type === "container_upload");
  return new Set(uploads.map(({ file_id }) => String(file_id)));
}
