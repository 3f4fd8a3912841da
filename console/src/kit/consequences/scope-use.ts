import { useActiveLaptops } from "../laptops/queries.ts";
import type { Scope } from "../scopes/scope.ts";
import { toUsageFilter } from "../scopes/usage-filter.ts";
import type { CountQuery } from "./consequences.tsx";
import { useRecentRequests } from "./recent-requests.ts";

interface ScopeUse {
  /** Requests of the last hour. Undefined: unknown. */
  requests: number | undefined;
  /** Undefined: unknown, or the scope has no laptops. */
  laptops: number | undefined;
  counts: readonly CountQuery[];
}

/** Requests of the last hour in a scope, and its laptops. */
export function useScopeUse(scope: Scope, { isEnabled }: { isEnabled: boolean }): ScopeUse {
  const filter = toUsageFilter(scope);
  const recent = useRecentRequests(filter ?? {}, { isEnabled: isEnabled && filter !== null });
  const place = toLaptopFilter(scope);
  const laptops = useActiveLaptops(place ?? {}, { isEnabled: isEnabled && place !== null });
  return {
    requests: recent.requests,
    laptops: laptops.data?.items.length,
    counts: [recent, laptops],
  };
}

/** Null: laptops of the scope are not known. */
function toLaptopFilter(scope: Scope): { member_id?: string; workspace_id?: string } | null {
  switch (scope.type) {
    case "organization":
      return {};
    case "workspace":
      return { workspace_id: scope.workspace_id };
    case "member":
      return { member_id: scope.member_id };
    default:
      return null;
  }
}
