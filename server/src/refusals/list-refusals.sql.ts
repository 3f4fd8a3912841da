import type { RefusalFacts } from "@bursar/contract/admin/refusals.ts";
import type { ReportBucket } from "@bursar/contract/admin/report-fields.ts";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";
import type { RefusalPart } from "./refusal-range.rule.ts";

export interface RefusalFilter {
  organizationId: string;
  visible: VisibleUsage;
  /** The caller can see requests without a known key. */
  seesUnknownKeys: boolean;
  workspaceIds?: readonly string[] | undefined;
  apiKeyIds?: readonly string[] | undefined;
  errorCodes?: readonly string[] | undefined;
  models?: readonly string[] | undefined;
  isUnknownKey?: boolean | undefined;
}

/** Labels of a row. Empty: not grouped by it, or no value. */
export interface RefusalLabels {
  workspace_id: string;
  api_key_id: string;
  error_code: string;
  model: string;
}

export interface RefusalRow extends RefusalLabels {
  /** Start of the bucket, milliseconds since the epoch. 0 without buckets: the start of the range can move. */
  bucket_ms: bigint;
  requests: bigint;
}

export interface RecentRefusalRow extends RefusalLabels {
  request_id: string;
  refused_at: Date;
  http_status: number;
  address: string | null;
  facts: RefusalFacts;
}

/** Position after a row of the counts. */
export type CountPosition = [
  bucketMs: number,
  requests: number,
  workspaceId: string,
  apiKeyId: string,
  errorCode: string,
  model: string,
];

export interface CountPage {
  filter: RefusalFilter;
  bucket: ReportBucket;
  columns: readonly (keyof RefusalLabels)[];
  parts: readonly RefusalPart[];
  after: CountPosition | null;
  limit: number;
}

const labels = ["workspace_id", "api_key_id", "error_code", "model"] as const;

/** Counts refusals by bucket and group, the newest bucket and the largest group first. */
export async function listRefusalCounts(tx: Tx, page: CountPage): Promise<RefusalRow[]> {
  const { filter, columns, after, limit } = page;
  const grouped = sql.join(
    labels.map((label) =>
      columns.includes(label)
        ? sql`${sql.ref(label)} AS ${sql.ref(label)}`
        : sql`''::text AS ${sql.ref(label)}`,
    ),
  );
  const place = sql`(-bucket_ms, -requests, workspace_id, api_key_id, error_code, model)`;
  const isAfter =
    after === null
      ? sql`TRUE`
      : sql`${place} > (${-after[0]}::bigint, ${-after[1]}::bigint, ${after[2]}::text, ${after[3]}::text,
          ${after[4]}::text, ${after[5]}::text)`;
  const { rows } = await sql<RefusalRow>`
    SELECT * FROM (
      SELECT ${bucketMsOf(page)} AS bucket_ms, ${grouped}, sum(requests)::bigint AS requests
      FROM (${fromParts(page.parts, filter)}) AS counted GROUP BY 1, 2, 3, 4, 5
    ) AS grouped
    WHERE ${isAfter}
    ORDER BY -bucket_ms, -requests, workspace_id, api_key_id, error_code, model
    LIMIT ${limit}`.execute(tx);
  return rows;
}

export async function sumRefusals(
  tx: Tx,
  { parts, filter }: Pick<CountPage, "parts" | "filter">,
): Promise<bigint> {
  const { rows } = await sql<{ requests: bigint }>`
    SELECT coalesce(sum(requests), 0)::bigint AS requests FROM (${fromParts(parts, filter)}) AS counted`.execute(
    tx,
  );
  return rows[0]?.requests ?? 0n;
}

function bucketMsOf({ bucket }: CountPage): RawBuilder<unknown> {
  if (bucket === "none") return sql`0::bigint`;
  const start = bucket === "1d" ? sql`date_trunc('day', bucket_at, 'UTC')` : sql`bucket_at`;
  return sql`(extract(epoch FROM ${start}) * 1000)::bigint`;
}

function fromParts(parts: readonly RefusalPart[], filter: RefusalFilter): RawBuilder<unknown> {
  return sql.join(
    parts.map(
      ({ unit, startMs, endMs }) => sql`
        SELECT bucket_at, workspace_id, api_key_id, error_code, model, requests FROM ${sql.table(`refusal_${unit}`)}
        WHERE bucket_at >= ${new Date(startMs)} AND bucket_at < ${new Date(endMs)} AND ${isListed(filter)}`,
    ),
    sql` UNION ALL `,
  );
}

export interface RecentPage {
  filter: RefusalFilter;
  startMs: number;
  endMs: number;
  /** Start of the request id. */
  idPrefix?: string | undefined;
  after: { refusedAtMs: number; requestId: string } | null;
  limit: number;
}

/** Returns stored refusals, newest first. */
export async function listRecentRefusals(tx: Tx, page: RecentPage): Promise<RecentRefusalRow[]> {
  const { filter, startMs, endMs, idPrefix, after, limit } = page;
  const isAfter =
    after === null
      ? sql`TRUE`
      : sql`(refused_at, request_id) < (${new Date(after.refusedAtMs)}::timestamptz, ${after.requestId}::text)`;
  const hasPrefix =
    idPrefix === undefined ? sql`TRUE` : sql`starts_with(request_id, ${idPrefix}::text)`;
  const { rows } = await sql<RecentRefusalRow>`
    SELECT request_id, refused_at, workspace_id, api_key_id, error_code, http_status, model, address, facts
    FROM refusal_recent
    WHERE refused_at >= ${new Date(startMs)} AND refused_at < ${new Date(endMs)}
      AND ${isListed(filter)} AND ${hasPrefix} AND ${isAfter}
    ORDER BY refused_at DESC, request_id DESC LIMIT ${limit}`.execute(tx);
  return rows;
}

/** Condition of a listed row: visible to the caller, and matched by each filter. */
function isListed(filter: RefusalFilter): RawBuilder<unknown> {
  const isAny = (column: string, values: readonly string[] | undefined) =>
    values === undefined ? [] : [sql`${sql.ref(column)} = ANY(${[...values]}::text[])`];
  const isVisible = isVisibleUsage(filter.visible);
  return sql.join(
    [
      sql`organization_id = ${filter.organizationId}::uuid`,
      ...(isVisible === null ? [] : [isVisible]),
      ...(filter.seesUnknownKeys ? [] : [sql`api_key_id <> ''`]),
      ...isAny("workspace_id", filter.workspaceIds),
      ...isAny("api_key_id", filter.apiKeyIds),
      ...isAny("error_code", filter.errorCodes),
      ...isAny("model", filter.models),
      ...(filter.isUnknownKey === undefined
        ? []
        : [sql`(api_key_id = '') = ${filter.isUnknownKey}::boolean`]),
    ],
    sql` AND `,
  );
}
