import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { scopeName } from "#src/db/scope-name.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import { type PeriodName as Period, periodNames, periodOf } from "#src/domain/spend-period.ts";
import { RECORDED_SPEND } from "#src/recording/recorded-spend.sql.ts";
import { isSamePerson } from "./actors-behind.sql.ts";

export type IncreaseStatus = "pending" | "approved" | "denied" | "withdrawn";
export type ActorType = "member" | "api_key" | "admin_key" | "local_operator";

/**
 * Current name and address of an actor. A personal key that requests has the address of its owner. `isPresent` is false for a
 * removed member.
 */
export interface Actor {
  type: ActorType;
  id: string;
  name: string | null;
  email: string | null;
  isPresent: boolean;
}

/** Increase request with its decision, and with the current names and spend of its scope. */
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
  /** Current limit of this scope and period. Null: no limit. */
  limit: { id: string; amountNanoUsd: bigint } | null;
  settledNanoUsd: bigint;
  leasedNanoUsd: bigint;
  /** True if the caller, or a personal key of the caller, created it. */
  isOwn: boolean;
  /** True if the caller, or a person behind the caller's key, can act as the requester. */
  isFromCaller: boolean;
}

export interface RequestFilter {
  organizationId: string;
  caller: { type: ActorType; id: string };
  /** Limits the list to own requests of the requester and those about the workspaces. Null: all. */
  visibleTo: { requester: { type: ActorType; id: string }; workspaceIds: readonly string[] } | null;
  statuses?: readonly IncreaseStatus[] | undefined;
  workspaceId?: string | undefined;
  requesterIds?: readonly string[] | undefined;
  /** Only requests whose requester is not a removed member. */
  hasPresentRequester?: boolean;
}

/** Lists the rows of a page, newest first, and one more row if another page exists. */
export async function listRequests(
  db: Database | Tx,
  filter: RequestFilter & { nowMs: number },
  { from, limit }: PageRequest,
): Promise<IncreaseRequestRow[]> {
  const { statuses, workspaceId, requesterIds, hasPresentRequester } = filter;
  const conditions = [isVisible(filter)];
  if (statuses) conditions.push(sql`r.status = ANY(${[...statuses]}::text[])`);
  if (workspaceId !== undefined) conditions.push(sql`r.workspace_id = ${workspaceId}`);
  if (requesterIds) conditions.push(sql`r.requester_id = ANY(${[...requesterIds]}::text[])`);
  if (hasPresentRequester)
    conditions.push(sql`(r.requester_type <> 'member' OR rm.status <> 'removed')`);
  if (from) {
    const position = sql`(${new Date(from.createdAtMs)}::timestamptz, ${from.id})`;
    conditions.push(sql`(r.created_at, r.id) < ${position}`);
  }
  const where = sql.join(conditions, sql` AND `);
  const { rows } = await selectRequests(filter, where, limit + 1).execute(db);
  return rows.map(fromRow);
}

export async function findRequest(
  db: Database | Tx,
  filter: RequestFilter & { id: string; nowMs: number },
): Promise<IncreaseRequestRow | null> {
  const where = sql<SqlBool>`${isVisible(filter)} AND r.id = ${filter.id}`;
  const { rows } = await selectRequests(filter, where, 1).execute(db);
  return rows[0] ? fromRow(rows[0]) : null;
}

function isVisible({ organizationId, visibleTo }: RequestFilter) {
  const isInOrganization = sql<SqlBool>`r.organization_id = ${organizationId}::uuid`;
  if (visibleTo === null) return isInOrganization;
  const { requester, workspaceIds } = visibleTo;
  return sql<SqlBool>`${isInOrganization} AND (
    ${isOwn(organizationId, requester)}
    OR r.workspace_id = ANY(${[...workspaceIds]}::text[]))`;
}

/** True if the actor created request `r`, or if the actor is the owner of the key that did. */
function isOwn(organizationId: string, { type, id }: { type: ActorType; id: string }) {
  const isRequester = sql<SqlBool>`(r.requester_type = ${type} AND r.requester_id = ${id})`;
  if (type !== "member") return isRequester;
  return sql<SqlBool>`(${isRequester} OR (r.requester_type = 'api_key' AND r.requester_id IN (
    SELECT id FROM api_key WHERE organization_id = ${organizationId}::uuid AND owner_member_id = ${id})))`;
}

interface SelectedRow {
  id: string;
  organization_id: string;
  requester_type: ActorType;
  requester_id: string;
  requester_name: string | null;
  requester_email: string | null;
  is_requester_present: boolean;
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
  is_resolver_present: boolean;
  created_at: Date;
  resolved_at: Date | null;
  limit_id: string | null;
  limit_now: bigint | null;
  settled: bigint;
  leased: bigint | null;
  is_own: boolean;
  is_from_caller: boolean;
}

function selectRequests(
  { organizationId, caller, nowMs }: RequestFilter & { nowMs: number },
  where: unknown,
  limit: number,
) {
  const requester = { type: sql`r.requester_type`, id: sql`r.requester_id` };
  const start = (name: Period) => sql`WHEN ${name} THEN ${periodOf(name, nowMs).start}::date`;
  return sql<SelectedRow>`
    SELECT r.*,
      coalesce(rm.name, rk.name, ra.name) AS requester_name,
      coalesce(rm.email, CASE WHEN ro.status <> 'removed' THEN ro.email END) AS requester_email,
      (r.requester_type <> 'member' OR coalesce(rm.status <> 'removed', false)) AS is_requester_present,
      coalesce(${scopeName("r")}, '') AS scope_name,
      coalesce(am.name, ak.name, aa.name) AS resolver_name, am.email AS resolver_email,
      (r.resolved_by_type <> 'member' OR coalesce(am.status <> 'removed', false)) AS is_resolver_present,
      l.id AS limit_id, l.amount_nano_usd AS limit_now,
      CASE WHEN b.is_complete THEN b.settled_nano_usd ELSE ${RECORDED_SPEND} END AS settled, b.leased_nano_usd AS leased,
      ${isOwn(organizationId, caller)} AS is_own, ${isSamePerson(organizationId, requester, caller)} AS is_from_caller
    FROM spend_limit_increase_request r
    LEFT JOIN workspace w ON r.scope_type = 'workspace' AND w.id = r.scope_id
    LEFT JOIN api_key k ON r.scope_type = 'api_key' AND k.id = r.scope_id
    LEFT JOIN member rm ON r.requester_type = 'member' AND rm.id = r.requester_id
    LEFT JOIN api_key rk ON r.requester_type = 'api_key' AND rk.id = r.requester_id
    LEFT JOIN member ro ON ro.id = rk.owner_member_id
    LEFT JOIN admin_key ra ON r.requester_type = 'admin_key' AND ra.id = r.requester_id
    LEFT JOIN member am ON r.resolved_by_type = 'member' AND am.id = r.resolved_by_id
    LEFT JOIN api_key ak ON r.resolved_by_type = 'api_key' AND ak.id = r.resolved_by_id
    LEFT JOIN admin_key aa ON r.resolved_by_type = 'admin_key' AND aa.id = r.resolved_by_id
    LEFT JOIN spend_limit l ON l.scope_type = r.scope_type AND l.scope_id = r.scope_id AND l.period = r.period
    CROSS JOIN LATERAL (SELECT r.organization_id, coalesce(w.id, k.workspace_id) AS workspace_id, r.scope_type, r.scope_id,
      r.period, CASE r.period ${sql.join(periodNames.map(start), sql` `)} END AS period_start) AS wanted
    LEFT JOIN balance_sum b ON b.scope_type = r.scope_type AND b.scope_id = r.scope_id AND b.period = r.period
      AND b.period_start = wanted.period_start
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
      isPresent: row.is_requester_present,
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
          isPresent: row.is_resolver_present,
        }) ||
      null,
    createdAt: row.created_at,
    resolvedAt: row.resolved_at,
    limit:
      row.limit_id === null || row.limit_now === null
        ? null
        : { id: row.limit_id, amountNanoUsd: row.limit_now },
    settledNanoUsd: row.settled,
    leasedNanoUsd: row.leased ?? 0n,
    isOwn: row.is_own,
    isFromCaller: row.is_from_caller,
  };
}
