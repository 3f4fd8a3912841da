import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import { type PeriodName as Period, periodNames, periodOf } from "#src/domain/spend-period.ts";

export type IncreaseStatus = "pending" | "approved" | "denied" | "withdrawn";
export type ActorType = "member" | "api_key" | "admin_key" | "local_operator";

/** Somebody as of now: `isThere` false for a member that was removed. */
export interface Actor {
  type: ActorType;
  id: string;
  name: string | null;
  email: string | null;
  isThere: boolean;
}

/** A request as it was asked and answered, and what it is about as of now. */
export interface IncreaseRequestRow {
  id: string;
  organizationId: string;
  requester: Actor;
  scopeType: ScopeType;
  scopeId: string;
  scopeName: string;
  workspaceId: string | null;
  period: PeriodName;
  limitWhenAskedNanoUsd: bigint;
  amountNanoUsd: bigint;
  reason: string;
  status: IncreaseStatus;
  approvedNanoUsd: bigint | null;
  answer: string | null;
  resolvedBy: Actor | null;
  createdAt: Date;
  resolvedAt: Date | null;
  /** The limit of this scope and period now; null: there is none. */
  limit: { id: string; amountNanoUsd: bigint } | null;
  settledNanoUsd: bigint;
  leasedNanoUsd: bigint;
}

export interface RequestFilter {
  organizationId: string;
  /** Those of this requester, and those about the workspaces; null: all. */
  visibleTo: { requester: { type: ActorType; id: string }; workspaceIds: readonly string[] } | null;
  statuses?: readonly IncreaseStatus[] | undefined;
  workspaceId?: string | undefined;
  requesterIds?: readonly string[] | undefined;
  /** Leaves out what members asked who have been removed. */
  isOfPresent?: boolean;
}

/** Newest first, one row more than the page holds. */
export async function listRequests(
  db: Database | Tx,
  filter: RequestFilter & { nowMs: number },
  { from, limit }: PageRequest,
): Promise<IncreaseRequestRow[]> {
  const { statuses, workspaceId, requesterIds, isOfPresent } = filter;
  const conditions = [visible(filter)];
  if (statuses) conditions.push(sql`r.status = ANY(${[...statuses]}::text[])`);
  if (workspaceId !== undefined) conditions.push(sql`r.workspace_id = ${workspaceId}`);
  if (requesterIds) conditions.push(sql`r.requester_id = ANY(${[...requesterIds]}::text[])`);
  if (isOfPresent) conditions.push(sql`(r.requester_type <> 'member' OR rm.status <> 'removed')`);
  if (from) {
    const position = sql`(${new Date(from.createdAtMs)}::timestamptz, ${from.id})`;
    conditions.push(sql`(r.created_at, r.id) < ${position}`);
  }
  const { rows } = await select(filter.nowMs, sql.join(conditions, sql` AND `), limit + 1).execute(
    db,
  );
  return rows.map(fromRow);
}

export async function findRequest(
  db: Database | Tx,
  filter: RequestFilter & { id: string; nowMs: number },
): Promise<IncreaseRequestRow | null> {
  const where = sql<SqlBool>`${visible(filter)} AND r.id = ${filter.id}`;
  const { rows } = await select(filter.nowMs, where, 1).execute(db);
  return rows[0] ? fromRow(rows[0]) : null;
}

function visible({ organizationId, visibleTo }: RequestFilter) {
  const inOrganization = sql<SqlBool>`r.organization_id = ${organizationId}::uuid`;
  if (visibleTo === null) return inOrganization;
  const { requester, workspaceIds } = visibleTo;
  return sql<SqlBool>`${inOrganization} AND (
    (r.requester_type = ${requester.type} AND r.requester_id = ${requester.id})
    OR r.workspace_id = ANY(${[...workspaceIds]}::text[]))`;
}

interface SelectedRow {
  id: string;
  organization_id: string;
  requester_type: ActorType;
  requester_id: string;
  requester_name: string | null;
  requester_email: string | null;
  is_requester_there: boolean;
  scope_type: ScopeType;
  scope_id: string;
  scope_name: string;
  workspace_id: string | null;
  period: PeriodName;
  limit_nano_usd: bigint;
  amount_nano_usd: bigint;
  reason: string;
  status: IncreaseStatus;
  approved_nano_usd: bigint | null;
  answer: string | null;
  resolved_by_type: ActorType | null;
  resolved_by_id: string | null;
  resolver_name: string | null;
  resolver_email: string | null;
  is_resolver_there: boolean;
  created_at: Date;
  resolved_at: Date | null;
  limit_id: string | null;
  limit_now: bigint | null;
  settled: bigint | null;
  leased: bigint | null;
}

function select(nowMs: number, where: unknown, limit: number) {
  const start = (name: Period) => sql`WHEN ${name} THEN ${periodOf(name, nowMs).start}::date`;
  return sql<SelectedRow>`
    SELECT r.*,
      coalesce(rm.name, rk.name, ra.name) AS requester_name, rm.email AS requester_email,
      (r.requester_type <> 'member' OR coalesce(rm.status <> 'removed', false)) AS is_requester_there,
      coalesce(w.name, k.name, o.name) AS scope_name,
      coalesce(am.name, ak.name, aa.name) AS resolver_name, am.email AS resolver_email,
      (r.resolved_by_type <> 'member' OR coalesce(am.status <> 'removed', false)) AS is_resolver_there,
      l.id AS limit_id, l.amount_nano_usd AS limit_now, b.settled_nano_usd AS settled, b.leased_nano_usd AS leased
    FROM spend_limit_increase_request r
    JOIN organization o ON o.id = r.organization_id
    LEFT JOIN workspace w ON r.scope_type = 'workspace' AND w.id = r.scope_id
    LEFT JOIN api_key k ON r.scope_type = 'api_key' AND k.id = r.scope_id
    LEFT JOIN member rm ON r.requester_type = 'member' AND rm.id = r.requester_id
    LEFT JOIN api_key rk ON r.requester_type = 'api_key' AND rk.id = r.requester_id
    LEFT JOIN admin_key ra ON r.requester_type = 'admin_key' AND ra.id = r.requester_id
    LEFT JOIN member am ON r.resolved_by_type = 'member' AND am.id = r.resolved_by_id
    LEFT JOIN api_key ak ON r.resolved_by_type = 'api_key' AND ak.id = r.resolved_by_id
    LEFT JOIN admin_key aa ON r.resolved_by_type = 'admin_key' AND aa.id = r.resolved_by_id
    LEFT JOIN spend_limit l ON l.scope_type = r.scope_type AND l.scope_id = r.scope_id AND l.period = r.period
    LEFT JOIN balance b ON b.scope_type = r.scope_type AND b.scope_id = r.scope_id AND b.period = r.period
      AND b.period_start = CASE r.period ${sql.join(periodNames.map(start), sql` `)} END
    WHERE ${where}
    ORDER BY r.created_at DESC, r.id DESC
    LIMIT ${limit}`;
}

function fromRow(row: SelectedRow): IncreaseRequestRow {
  return {
    id: row.id,
    organizationId: row.organization_id,
    requester: {
      type: row.requester_type,
      id: row.requester_id,
      name: row.requester_name,
      email: row.requester_email,
      isThere: row.is_requester_there,
    },
    scopeType: row.scope_type,
    scopeId: row.scope_id,
    scopeName: row.scope_name,
    workspaceId: row.workspace_id,
    period: row.period,
    limitWhenAskedNanoUsd: row.limit_nano_usd,
    amountNanoUsd: row.amount_nano_usd,
    reason: row.reason,
    status: row.status,
    approvedNanoUsd: row.approved_nano_usd,
    answer: row.answer,
    resolvedBy:
      (row.resolved_by_type &&
        row.resolved_by_id !== null && {
          type: row.resolved_by_type,
          id: row.resolved_by_id,
          name: row.resolver_name,
          email: row.resolver_email,
          isThere: row.is_resolver_there,
        }) ||
      null,
    createdAt: row.created_at,
    resolvedAt: row.resolved_at,
    limit:
      row.limit_id === null || row.limit_now === null
        ? null
        : { id: row.limit_id, amountNanoUsd: row.limit_now },
    settledNanoUsd: row.settled ?? 0n,
    leasedNanoUsd: row.leased ?? 0n,
  };
}

/** The status of the request, which stays locked until the transaction ends. */
export async function lockStatus(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<IncreaseStatus> {
  const row = await tx
    .selectFrom("spend_limit_increase_request")
    .select("status")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return row.status;
}

export interface AskedBy {
  organizationId: string;
  requesterType: ActorType;
  requesterId: string;
}

/** The pending request of this requester for this limit, locked until the transaction ends, or null. */
export async function findPendingForChange(
  tx: Tx,
  of: AskedBy & { scopeType: ScopeType; scopeId: string; period: PeriodName },
): Promise<{ id: string; amountNanoUsd: bigint; reason: string } | null> {
  const row = await tx
    .selectFrom("spend_limit_increase_request")
    .select(["id", "amount_nano_usd as amountNanoUsd", "reason"])
    .where("organization_id", "=", of.organizationId)
    .where("requester_type", "=", of.requesterType)
    .where("requester_id", "=", of.requesterId)
    .where("scope_type", "=", of.scopeType)
    .where("scope_id", "=", of.scopeId)
    .where("period", "=", of.period)
    .where("status", "=", "pending")
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

export interface NewRequest extends AskedBy {
  id: string;
  scopeType: ScopeType;
  scopeId: string;
  workspaceId: string | null;
  period: PeriodName;
  limitNanoUsd: bigint;
  amountNanoUsd: bigint;
  reason: string;
  createdAt: Date;
}

export async function insertRequest(tx: Tx, row: NewRequest): Promise<void> {
  await tx
    .insertInto("spend_limit_increase_request")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      requester_type: row.requesterType,
      requester_id: row.requesterId,
      scope_type: row.scopeType,
      scope_id: row.scopeId,
      workspace_id: row.workspaceId,
      period: row.period,
      limit_nano_usd: row.limitNanoUsd,
      amount_nano_usd: row.amountNanoUsd,
      reason: row.reason,
      created_at: row.createdAt,
    })
    .execute();
}

export async function replaceAsked(
  tx: Tx,
  row: { id: string; limitNanoUsd: bigint; amountNanoUsd: bigint; reason: string },
): Promise<void> {
  await tx
    .updateTable("spend_limit_increase_request")
    .set({
      limit_nano_usd: row.limitNanoUsd,
      amount_nano_usd: row.amountNanoUsd,
      reason: row.reason,
    })
    .where("id", "=", row.id)
    .execute();
}

export async function saveResolution(
  tx: Tx,
  row: {
    id: string;
    status: Exclude<IncreaseStatus, "pending">;
    approvedNanoUsd: bigint | null;
    answer: string | null;
    by: { type: ActorType; id: string };
    at: Date;
  },
): Promise<void> {
  await tx
    .updateTable("spend_limit_increase_request")
    .set({
      status: row.status,
      approved_nano_usd: row.approvedNanoUsd,
      answer: row.answer,
      resolved_by_type: row.by.type,
      resolved_by_id: row.by.id,
      resolved_at: row.at,
    })
    .where("id", "=", row.id)
    .execute();
}

/** Requests that this requester has made since then, whatever became of them. */
export async function countAsked(tx: Tx, of: AskedBy & { since: Date }): Promise<number> {
  const row = await tx
    .selectFrom("spend_limit_increase_request")
    .select(({ fn }) => fn.countAll<bigint>().as("asked"))
    .where("organization_id", "=", of.organizationId)
    .where("requester_type", "=", of.requesterType)
    .where("requester_id", "=", of.requesterId)
    .where("created_at", ">", of.since)
    .executeTakeFirstOrThrow();
  return Number(row.asked);
}

/** Addresses of active members with one of the roles, in the organization or in the workspace, oldest members first. */
export async function findApproverAddresses(
  tx: Tx,
  of: {
    organizationId: string;
    organizationRoles: readonly string[];
    workspaceId: string | null;
    workspaceRoles: readonly string[];
    limit: number;
  },
): Promise<{ id: string; email: string }[]> {
  const { rows } = await sql<{ id: string; email: string }>`
    SELECT m.id, m.email FROM member m
    WHERE m.organization_id = ${of.organizationId}::uuid AND m.status = 'active'
      AND (m.role = ANY(${[...of.organizationRoles]}::text[]) OR EXISTS (SELECT FROM workspace_member w
        WHERE w.member_id = m.id AND w.workspace_id = ${of.workspaceId}
          AND w.role = ANY(${[...of.workspaceRoles]}::text[])))
    ORDER BY m.created_at, m.id LIMIT ${of.limit}`.execute(tx);
  return rows;
}

/** Where the requester reads mail: the member, or the person whose key it is; null for nobody, or nobody active. */
export async function findRequesterAddress(
  tx: Tx,
  requester: { type: ActorType; id: string },
): Promise<{ memberId: string; email: string } | null> {
  const { rows } = await sql<{ memberId: string; email: string }>`
    SELECT m.id AS "memberId", m.email FROM member m
    WHERE m.status = 'active' AND m.id = CASE ${requester.type}::text
      WHEN 'member' THEN ${requester.id}
      WHEN 'api_key' THEN (SELECT k.owner_member_id FROM api_key k WHERE k.id = ${requester.id}) END`.execute(
    tx,
  );
  return rows[0] ?? null;
}
