import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

export interface UpstreamRequests {
  requests: number;
  failedRequests: number;
  /** Start of the minute of the last failed request. */
  lastFailedAt: Date | null;
}

/** Failures of the upstream, not of the client. */
const isFailed = sql`status IN ('server_error', 'interrupted', 'unreached')`;

/** Counts requests since a time from the sums per minute, which have some rows for each minute. */
export async function countUpstreamRequests(
  db: Database,
  of: { organizationId: string; since: Date },
): Promise<UpstreamRequests> {
  const { rows } = await sql<UpstreamRequests>`
    SELECT coalesce(sum(requests), 0)::integer AS requests,
      coalesce(sum(requests) FILTER (WHERE ${isFailed}), 0)::integer AS "failedRequests",
      max(bucket_at) FILTER (WHERE ${isFailed}) AS "lastFailedAt"
    FROM usage_organization_minute
    WHERE organization_id = ${of.organizationId}::uuid AND bucket_at >= ${of.since}`.execute(db);
  return rows[0] ?? { requests: 0, failedRequests: 0, lastFailedAt: null };
}
