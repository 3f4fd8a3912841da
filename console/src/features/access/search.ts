import { accessPaths } from "@bursar/contract/access-paths.ts";
import { viewFields } from "../../kit/tables/view-fields.ts";
import { count, makeSearchReader, someOf, text } from "../../search-fields.ts";

const MAX_LENGTH = 200;
const MAX_DAYS = 3650;

/** Reads the address of the access list. */
export const readAccessSearch = makeSearchReader({
  ...viewFields,
  path: someOf(accessPaths),
  workspace: text(MAX_LENGTH),
  member: text(MAX_LENGTH),
  /** Days without a use. */
  unused: count(MAX_DAYS),
  find: text(MAX_LENGTH),
});
export type AccessSearch = ReturnType<typeof readAccessSearch>;

/** Converts the address to filters of the API. */
export function toQuery(search: AccessSearch) {
  const find = search.find?.trim();
  return {
    ...(search.path && { paths: search.path }),
    ...(search.workspace && { workspace_id: search.workspace }),
    ...(search.member && { member_id: search.member }),
    ...(search.unused && { unused_days: search.unused }),
    ...(find && { search: find }),
  };
}
