import { type AccessPath, accessPaths } from "@bursar/contract/access-paths.ts";

/** What of the list of access stands in the address. Everything may be absent. */
export interface AccessSearch {
  path?: AccessPath[];
  workspace?: string | undefined;
  member?: string | undefined;
  /** Days without a use. */
  unused?: number | undefined;
  find?: string;
}

const MAX_LENGTH = 200;
const MAX_DAYS = 3650;

/** Reads the address; what makes no sense is as if it were not there. */
export function readAccessSearch(raw: Record<string, unknown>): AccessSearch {
  const found: AccessSearch = {};
  const { path, unused } = raw;
  const paths = accessPaths.filter((each) => (Array.isArray(path) ? path : [path]).includes(each));
  if (paths.length > 0) found.path = paths;
  for (const name of ["workspace", "member", "find"] as const) {
    const value = raw[name];
    if (typeof value === "string" && value !== "") found[name] = value.slice(0, MAX_LENGTH);
  }
  if (Number.isInteger(unused) && Number(unused) > 0) {
    found.unused = Math.min(Number(unused), MAX_DAYS);
  }
  return found;
}

/** The filters of the API that the address means. */
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
