import { keyIssues } from "@bursar/contract/key-issues.ts";
import { count, makeSearchReader, oneOf, text } from "../../search-fields.ts";

export const keyViews = ["working", "attention", "beyond", "stopped", "all"] as const;
export type KeyView = (typeof keyViews)[number];

const MAX_LENGTH = 200;
const MAX_DAYS = 3_650;

/** Reads the address of the list of keys. */
export const readApiKeysSearch = makeSearchReader({
  show: oneOf(keyViews),
  /** Only keys with this issue. The cards of the security settings lead here. */
  issue: oneOf(keyIssues),
  /** Days without a use. Messages about unused keys lead here. */
  unused: count(MAX_DAYS),
  find: text(MAX_LENGTH),
});
export type ApiKeysSearch = ReturnType<typeof readApiKeysSearch>;
