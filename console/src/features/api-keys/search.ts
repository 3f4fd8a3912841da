import { keyIssues } from "@bursar/contract/key-issues.ts";
import { keyPermissions } from "@bursar/contract/permissions.ts";
import { viewFields } from "../../kit/tables/view-fields.ts";
import { count, makeSearchReader, matching, oneOf, someOf, text } from "../../search-fields.ts";

export const keyViews = ["working", "attention", "beyond", "stopped", "all"] as const;
export type KeyView = (typeof keyViews)[number];

const MAX_LENGTH = 200;
const MAX_DAYS = 3_650;
/** Ids, separated by commas. */
const ids = matching(/^\w{1,60}(,\w{1,60}){0,99}$/);

/** Reads the address of the key list. */
export const readApiKeysSearch = makeSearchReader({
  ...viewFields,
  show: oneOf(keyViews),
  /** Issue of the keys. Links from the security settings set it. */
  issue: oneOf(keyIssues),
  /** Days without a use. Links in messages about unused keys set it. */
  unused: count(MAX_DAYS),
  find: text(MAX_LENGTH),
  workspaces: ids,
  owners: ids,
  permissions: someOf(keyPermissions),
});
export type ApiKeysSearch = ReturnType<typeof readApiKeysSearch>;
