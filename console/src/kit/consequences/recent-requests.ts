import { useState } from "react";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import type { UsageFilter } from "../scopes/usage-filter.ts";
import type { CountQuery } from "./consequences.tsx";

const HOUR_MS = 3_600_000;

export interface RecentRequests extends CountQuery {
  /** Undefined: unknown. */
  requests: number | undefined;
}

interface Options {
  isEnabled?: boolean;
  /** Workspace in which the member needs the right. Default: any one. */
  workspaceId?: string | undefined;
}

/** Requests of the last hour. Members without the right for usage do not see them. */
export function useRecentRequests(
  filter: UsageFilter,
  { isEnabled = true, workspaceId }: Options = {},
): RecentRequests {
  const may = useMay();
  const [startingAt] = useState(() => new Date(Date.now() - HOUR_MS).toISOString());
  const { data, isLoading, isLoadingError } = useApi(
    "getUsage",
    { query: { ...filter, starting_at: startingAt, bucket: "1m", limit: 1 } },
    { isEnabled: isEnabled && may("usage:read", workspaceId) },
  );
  return { requests: data?.totals.requests, isLoading, isLoadingError };
}
