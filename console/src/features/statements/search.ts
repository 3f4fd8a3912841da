import { statementGroups } from "@bursar/contract/statement-groups.ts";
import { makeSearchReader, oneOf, text } from "../../search-fields.ts";

const MAX_ID = 100;
const MAX_TAG = 400;

/** Reads the address of a statement: its scope, and what splits it. */
export const readStatementSearch = makeSearchReader({
  workspace: text(MAX_ID),
  group: text(MAX_ID),
  /** `name:value`. */
  tag: text(MAX_TAG),
  without_tag: text(MAX_ID),
  by: oneOf(statementGroups),
});
export type StatementSearch = ReturnType<typeof readStatementSearch>;

/** Converts the address to the scope of the API. The first one counts. */
export function toScope({ workspace, group, tag, without_tag }: StatementSearch) {
  if (workspace) return { workspace_id: workspace };
  if (group) return { group_id: group };
  if (tag) return { tag };
  return without_tag ? { without_tag } : {};
}
