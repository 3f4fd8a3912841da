import type { RankedTags } from "./tag-changes.rule.ts";

/** Workspace or API key that the caller can see, before a change of its tags. */
export interface TaggedSubject<Row> {
  id: string;
  name: string;
  workspaceId: string;
  tags: RankedTags;
  /** Reason for which the caller cannot change the tags. Null: they can be changed. */
  refusal: "archived" | "expired" | "denied" | null;
  row: Row;
}

/** A subject with its new tags. */
export interface ChangedSubject<Row> {
  subject: TaggedSubject<Row>;
  after: RankedTags;
}
