import { useActiveLaptops } from "../laptops/queries.ts";
import type { Scope } from "../scopes/scope.ts";
import type { CountQuery } from "./consequences.tsx";
import { type UsageFilter, useRecentRequests } from "./recent-requests.ts";

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

/** Filter of reports for the requests of a scope. Null: each member of a group alone. */
export function toUsageFilter(scope: Scope): UsageFilter | null {
  switch (scope.type) {
    case "organization":
      return {};
    case "workspace":
      return { workspace_id: [scope.workspace_id] };
    case "api_key":
      return { api_key_id: [scope.api_key_id] };
    case "member":
      return { member_id: [scope.member_id] };
    case "group":
      return { group_id: [scope.group_id] };
    case "tag":
      return { tag_id: [scope.tag_id] };
    case "group_member":
      return null;
  }
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
