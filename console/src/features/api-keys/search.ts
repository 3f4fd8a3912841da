import { type KeyIssue, keyIssues } from "@bursar/contract/key-issues.ts";

export const keyViews = ["working", "attention", "beyond", "stopped", "all"] as const;
export type KeyView = (typeof keyViews)[number];

/** What of the list of keys stands in the address. */
export interface ApiKeysSearch {
  show?: KeyView;
  find?: string;
  /** Only keys with this issue: from the cards of the security page. */
  issue?: KeyIssue | undefined;
  /** Only keys that have not been used for so many days: from a message about unused keys. */
  unused?: number | undefined;
}

const MAX_LENGTH = 200;
const MAX_DAYS = 3_650;

/** Reads the address; what makes no sense is as if it were not there. */
export function readApiKeysSearch(raw: Record<string, unknown>): ApiKeysSearch {
  const found: ApiKeysSearch = {};
  const show = keyViews.find((view) => view === raw["show"]);
  if (show) found.show = show;
  const issue = keyIssues.find((each) => each === raw["issue"]);
  if (issue) found.issue = issue;
  const { find, unused } = raw;
  if (Number.isInteger(unused) && Number(unused) > 0) {
    found.unused = Math.min(Number(unused), MAX_DAYS);
  }
  if (typeof find === "string" && find !== "") found.find = find.slice(0, MAX_LENGTH);
  return found;
}
