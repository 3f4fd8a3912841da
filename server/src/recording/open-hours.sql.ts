import { countColumns } from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { MINUTES_MS } from "./minutes.sql.ts";
import {
  findHourRollup,
  type HourRollup,
  type RollupTable,
  rollupTables,
} from "./rollup-tables.ts";

// Requests are added to usage_hour when they end, and to most other rollups when their hour is closed (close-hours.ts). A
// report therefore reads a rollup plus the rows of usage_hour that are not in it yet, on one snapshot.

/**
 * Position in usage_hour, in the order of hour, organization, workspace and key. Rows up to it are in all rollups, later
 * rows in usage_hour and usage_organization_minute only.
 */
export interface RollupProgress {
  /** Start of an hour, milliseconds since the epoch. Infinity: every rollup is written at once. */
  hourMs: number;
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
}

/** Hours with usage that is in no other rollup yet. */
export interface OpenHours {
  after: RollupProgress;
  /** Start of the first hour and end of the last one with usage, milliseconds since the epoch. */
  startMs: number;
  endMs: number;
  /** True: usage_organization_minute has all of their requests, and nothing else in them is closed. */
  hasMinutes: boolean;
}

interface ProgressRow extends Omit<RollupProgress, "hourMs"> {
  hourMs: number | null;
}

interface OpenRow extends ProgressRow {
  isRecent: boolean;
  lastAt: Date | null;
}

const HOUR_MS = 3_600_000;
const FIRST_ORGANIZATION = "00000000-0000-0000-0000-000000000000";

/** Returns the position before all rows of the hour. */
export function startOfHour(hourMs: number): RollupProgress {
  return { hourMs, organizationId: FIRST_ORGANIZATION, workspaceId: "", apiKeyId: "" };
}

export async function findRollupProgress(db: Database | Tx): Promise<RollupProgress> {
  const { rows } = await sql<ProgressRow>`
    SELECT ${progressColumns} FROM rollup_progress`.execute(db);
  return toProgress(rows[0]);
}

/** Finds the open hours of an organization. Null: no usage is missing in the other rollups. */
export async function findOpenHours(
  db: Database | Tx,
  organizationId: string,
): Promise<OpenHours | null> {
  const { rows } = await sql<OpenRow>`
    SELECT ${progressColumns}, hour_at > now() - ${MINUTES_MS} * interval '1 ms' AS "isRecent",
      (SELECT max(bucket_at) FROM usage_hour WHERE usage_hour.organization_id = ${organizationId}::uuid) AS "lastAt"
    FROM rollup_progress`.execute(db);
  const [row] = rows;
  const after = toProgress(row);
  const endMs = (row?.lastAt?.getTime() ?? -Infinity) + HOUR_MS;
  if (endMs <= after.hourMs) return null;
  const hasMinutes = row?.isRecent === true && after.organizationId === FIRST_ORGANIZATION;
  return { after, startMs: after.hourMs, endMs, hasMinutes };
}

const progressColumns = sql`CASE WHEN isfinite(hour_at) THEN extract(epoch FROM hour_at)::float8 * 1000 END AS "hourMs",
  organization_id AS "organizationId", workspace_id AS "workspaceId", api_key_id AS "apiKeyId"`;

function toProgress(row: ProgressRow | undefined): RollupProgress {
  if (row === undefined) throw new Error("rollup_progress has no row");
  const { organizationId, workspaceId, apiKeyId } = row;
  return { hourMs: row.hourMs ?? Infinity, organizationId, workspaceId, apiKeyId };
}

/**
 * Columns of the order, as SQL. `hour`: the start of the row's hour. Texts are compared by their bytes, which is the same
 * order on every server, also after a restore elsewhere.
 */
export function formatPosition(hour: string): string {
  return `${hour}, organization_id, workspace_id COLLATE "C", api_key_id COLLATE "C"`;
}

/** Condition of the rows of usage_hour after a position. The hour alone comes first, because it has an index. */
export function isAfter(position: RollupProgress): RawBuilder<boolean> {
  return sql`bucket_at >= ${new Date(position.hourMs)}
    AND (${sql.raw(formatPosition("bucket_at"))}) > (${joinPosition(position)})`;
}

/**
 * Condition of the rows of usage_hour that are not in the rollups yet, by the progress of the same statement. The other
 * rollups and these rows then have each request once, without a snapshot.
 */
export const isOpenRow: RawBuilder<boolean> = sql`bucket_at >= (SELECT hour_at FROM rollup_progress)
  AND (${sql.raw(formatPosition("bucket_at"))}) > (
    SELECT hour_at, organization_id, workspace_id, api_key_id FROM rollup_progress)`;

export function isUpTo(position: RollupProgress): RawBuilder<boolean> {
  return sql`bucket_at <= ${new Date(position.hourMs)}
    AND (${sql.raw(formatPosition("bucket_at"))}) <= (${joinPosition(position)})`;
}

function joinPosition({ hourMs, organizationId, workspaceId, apiKeyId }: RollupProgress) {
  return sql`${new Date(hourMs)}::timestamptz, ${organizationId}::uuid, ${workspaceId}::text, ${apiKeyId}::text`;
}

/** Selects the rows of a rollup and of the open hours, for FROM. A bucket with open hours can have several rows. */
export function selectRollup(
  table: Exclude<RollupTable, HourRollup>,
  organizationId: string,
  openHours: OpenHours | null,
): RawBuilder<unknown> {
  const { unit, labels } = rollupTables[table];
  const columns = sql.join(
    ["organization_id", ...labels, ...countColumns].map((column) => sql.ref(column)),
  );
  const isOf = sql`organization_id = ${organizationId}::uuid`;
  const closed = sql`SELECT bucket_at, ${columns} FROM ${sql.table(table)} WHERE ${isOf}`;
  if (openHours === null) return sql`(${closed})`;
  // An hour by its own name can be found with the index.
  const bucketAt = unit === "hour" ? "bucket_at" : `date_trunc('${unit}', bucket_at, 'UTC')`;
  return sql`(${closed} UNION ALL
    SELECT ${sql.raw(bucketAt)} AS bucket_at, ${columns}
    FROM ${sql.table(findHourRollup(table))} WHERE ${isOf} AND ${isAfter(openHours.after)})`;
}

/**
 * Selects the costs of a key on these days, for FROM of an aggregate in `CROSS JOIN LATERAL`. The row `wanted` has its
 * workspace_id and api_key_id. Each day is one look-up. Without the aggregate, PostgreSQL joins all keys of the days.
 */
export function selectDaysOfKey(
  organizationId: string,
  days: readonly Date[],
  openHours: OpenHours | null,
): RawBuilder<unknown> {
  const isOfKey = sql`organization_id = ${organizationId}::uuid AND workspace_id = wanted.workspace_id
    AND api_key_id = wanted.api_key_id`;
  const closed = sql`SELECT bucket_at, cost_nano_usd FROM usage_key_day
    WHERE ${isOfKey} AND bucket_at = ANY(${[...days]}::timestamptz[])`;
  if (openHours === null) return sql`(${closed})`;
  const day = sql`date_trunc('day', bucket_at, 'UTC')`;
  return sql`(${closed} UNION ALL SELECT ${day}, cost_nano_usd FROM usage_hour
    WHERE ${isOfKey} AND bucket_at = ANY(${listHours(openHours)}::timestamptz[])
      AND ${isAfter(openHours.after)} AND ${day} = ANY(${[...days]}::timestamptz[]))`;
}

function listHours({ startMs, endMs }: OpenHours): Date[] {
  const count = Math.ceil((endMs - startMs) / HOUR_MS);
  return Array.from({ length: count }, (_, hour) => new Date(startMs + hour * HOUR_MS));
}
