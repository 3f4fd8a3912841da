import type { Action } from "@bursar/contract/permissions.ts";

/** True for members whose overview is about the company. Others see their own keys there. */
export function seesCompany(may: (action: Action) => boolean): boolean {
  return may("api_keys:read") || may("spend_limits:read");
}
