/** What of the team stands in the address. */
export interface MembersSearch {
  /** Part of a name or address. */
  find?: string;
}

const MAX_LENGTH = 100;

/** Reads the address; what makes no sense is as if it were not there. */
export function readMembersSearch({ find }: Record<string, unknown>): MembersSearch {
  return typeof find === "string" && find !== "" ? { find: find.slice(0, MAX_LENGTH) } : {};
}
