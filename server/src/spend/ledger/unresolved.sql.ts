import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { Doubt, Outcome } from "#src/domain/request-record.ts";
import type { TimeRange } from "#src/domain/request-times.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import { addToBalances, type BalanceCharge, lockBalances } from "./balances.sql.ts";
import { chainOf, computeExcess } from "./charges.ts";
import { leftOfRow, lockNode } from "./lease-rows.sql.ts";
import type { LeaseKey } from "./lease-rules.ts";
import { recordOverruns } from "./overruns.sql.ts";
import {
  allowBudgetRelease,
  type ReleasedLease,
  subtractUnresolved,
} from "./release-unresolved.sql.ts";
import { type BalanceKey, balanceKeyText } from "./spend-key.ts";
import { completeWatched } from "./watched-balances.sql.ts";

// Unresolved amounts as an administrator sees them, and decisions about them. They are rows of `lease`. The rows of one
// request in all its balances are one item. Each row of a node or a journal is an item of its own.

/**
 * - `request`: hold of a sent request with an unknown outcome.
 * - `node`: lease of a fenced node.
 * - `journal`: spend that a node's journal may have lost.
 */
export type UnresolvedKind = "request" | "node" | "journal";

export interface UnresolvedItem {
  id: string;
  kind: UnresolvedKind;
  nodeId: string;
  requestId: string | null;
  /** Narrowest scope of the item. */
  scopeType: ScopeType;
  scopeId: string;
  /** Workspace of a request, or the scope itself. Null in all other cases. */
  workspaceId: string | null;
  /** Null for a request, which counts in all periods. */
  period: PeriodName | null;
  /** Largest amount of its rows. A limit can be configured to hold less. */
  amountNanoUsd: bigint;
  since: Date;
  /** First day of the period. Null for a request. */
  periodStart: string | null;
}

interface ItemRow extends Omit<UnresolvedItem, "requestId"> {
  leaseRequestId: string;
}

/** Id that is computed from the key columns of an item, so that each read returns the same id. */
const itemId = sql`'unr_' || left(encode(sha256(convert_to(concat_ws(E'\n', node_id, request_id,
  CASE WHEN kind = 'request' THEN NULL
    ELSE concat_ws(E'\n', scope_type, scope_id, period, to_char(period_start, 'YYYY-MM-DD')) END), 'UTF8')), 'hex'), 24)`;

/** Rows of a request have all scopes of its chain. Each other item is one row. */
const isRowOfItem = sql`(kind <> 'request' OR scope_type = 'api_key')`;

function selectItems(
  organizationId: string,
  where: RawBuilder<unknown>,
  rest: RawBuilder<unknown>,
) {
  return sql<ItemRow>`
    SELECT * FROM (
      SELECT ${itemId} AS id, kind, node_id AS "nodeId", request_id AS "leaseRequestId",
        max(scope_id) FILTER (WHERE scope_type = 'workspace') AS "workspaceId",
        max(scope_type) FILTER (WHERE ${isRowOfItem}) AS "scopeType",
        max(scope_id) FILTER (WHERE ${isRowOfItem}) AS "scopeId",
        CASE WHEN kind = 'request' THEN NULL ELSE max(period) END AS period,
        CASE WHEN kind = 'request' THEN NULL ELSE max(period_start) END AS "periodStart",
        max(amount_nano_usd) AS "amountNanoUsd",
        date_trunc('milliseconds', min(unresolved_since)) AS since
      FROM (
        SELECT *, CASE WHEN request_id = '' THEN 'node' WHEN request_id LIKE 'epoch:%' THEN 'journal'
          ELSE 'request' END AS kind
        FROM lease_left WHERE organization_id = ${organizationId}::uuid AND unresolved_since IS NOT NULL
          AND (request_id <> '' OR amount_nano_usd > 0)
      ) AS row
      GROUP BY 1, kind, node_id, request_id
    ) AS item
    WHERE ${where} ${rest}`;
}

function fromRowItem({ leaseRequestId, ...row }: ItemRow): UnresolvedItem {
  return { ...row, requestId: row.kind === "request" ? leaseRequestId : null };
}

/** Lists items that are older than `from`, newest first, at most `limit`. */
export async function listUnresolved(
  db: Database | Tx,
  of: { organizationId: string; from: { sinceMs: number; id: string } | null; limit: number },
): Promise<UnresolvedItem[]> {
  const { from } = of;
  const where = from
    ? sql`(since, id) < (${new Date(from.sinceMs)}::timestamptz, ${from.id})`
    : sql`true`;
  const order = sql`ORDER BY since DESC, id DESC LIMIT ${of.limit}`;
  const { rows } = await selectItems(of.organizationId, where, order).execute(db);
  return rows.map(fromRowItem);
}

/** Locks the item's node, and returns the item. Null if it does not exist, or was released during the wait for the lock. */
export async function lockUnresolved(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<UnresolvedItem | null> {
  const find = async () => {
    const { rows } = await selectItems(of.organizationId, sql`id = ${of.id}`, sql`LIMIT 1`).execute(
      tx,
    );
    const [row] = rows;
    return row === undefined ? null : fromRowItem(row);
  };
  const found = await find();
  if (found === null) return null;
  await lockNode(tx, found.nodeId);
  // During the wait for the lock, the item can be released, or its node can return.
  return find();
}

/** Labels and start of a request with an unknown outcome. */
export interface UnresolvedRequest {
  workspaceId: string;
  apiKeyId: string;
  /** Owner of the key. Null for a workspace's key. */
  memberId: string | null;
  groupIds: readonly string[];
  tagIds: readonly string[];
  startedAt: Date;
}

const requestColumns = sql`workspace_id AS "workspaceId", api_key_id AS "apiKeyId", nullif(member_id, '') AS "memberId",
  string_to_array(group_ids, ',') AS "groupIds", string_to_array(tag_ids, ',') AS "tagIds", started_at AS "startedAt"`;

/** Finds the usage event of the request, or null. */
export async function findUnresolvedRequest(
  tx: Tx,
  of: { organizationId: string; requestId: string },
): Promise<UnresolvedRequest | null> {
  // The rows of the request bound its start. Otherwise the query would search all partitions of the events.
  const { rows } = await sql<UnresolvedRequest>`
    SELECT ${requestColumns}
    FROM (
      SELECT max(period_start) AS first,
        min(period_start + CASE period WHEN 'daily' THEN 1 WHEN 'weekly' THEN 7 ELSE 31 END) AS end
      FROM lease WHERE organization_id = ${of.organizationId}::uuid AND request_id = ${of.requestId}
        AND unresolved_since IS NOT NULL
    ) AS days
    JOIN recorded_request e ON e.started_at >= days.first::timestamp AT TIME ZONE 'UTC'
      AND e.started_at < days.end::timestamp AT TIME ZONE 'UTC'
    WHERE e.request_hash = hashtextextended(${of.requestId}, 0) AND e.request_id = ${of.requestId}
      AND e.organization_id = ${of.organizationId}::uuid`.execute(tx);
  return rows[0] ?? null;
}

/** Releases the item: its amount counts as not spent. The caller has locked the item. Returns the deleted rows. */
export async function releaseItem(
  tx: Tx,
  organizationId: string,
  item: UnresolvedItem,
): Promise<ReleasedLease[]> {
  return removeItem(tx, organizationId, item, []);
}

/** Charge that an administrator decided, as the cost of a request that began at `startedAt`. */
export interface Adjustment extends UnresolvedRequest {
  id: string;
  organizationId: string;
  requestId: string;
  costNanoUsd: bigint;
  reason: string;
}

/** Charges the item. The caller has acquired the fold's lock, then the item. Returns the balances whose overrun grew. */
export async function chargeItem(
  tx: Tx,
  item: UnresolvedItem,
  adjustment: Adjustment,
): Promise<BalanceKey[]> {
  const { costNanoUsd } = adjustment;
  const keys = listKeys(adjustment);
  const rows = await removeItem(tx, adjustment.organizationId, item, keys);
  const heldIn = new Map(rows.map((row) => [balanceKeyText(row), row.amountNanoUsd]));
  const charges = keys.map((key): BalanceCharge => {
    const heldNanoUsd = heldIn.get(balanceKeyText(key));
    const isOverrun = heldNanoUsd !== undefined && costNanoUsd > heldNanoUsd;
    const overrunNanoUsd = isOverrun ? costNanoUsd - heldNanoUsd : 0n;
    return { ...key, nanoUsd: costNanoUsd, overrunNanoUsd };
  });
  return addAdjustment(tx, adjustment, charges);
}

/** Keys of all balances that count the request. */
function listKeys({ startedAt, ...adjustment }: Adjustment): LeaseKey[] {
  const { organizationId, memberId } = adjustment;
  const scope = { ...adjustment, memberId: memberId ?? undefined };
  return periodNames.flatMap((period) => {
    const periodStart = periodOf(period, startedAt.getTime()).start;
    return chainOf(scope).map(([scopeType, scopeId]) => {
      return { organizationId, scopeType, scopeId, period, periodStart };
    });
  });
}

/** Adds an adjustment to its balances. Returns the balances whose overrun grew. */
async function addAdjustment(
  tx: Tx,
  adjustment: Adjustment,
  charges: BalanceCharge[],
): Promise<BalanceKey[]> {
  const { organizationId, workspaceId, apiKeyId, startedAt, costNanoUsd } = adjustment;
  const { memberId, groupIds, tagIds } = adjustment;
  const inOrder = charges.sort((a, b) => (balanceKeyText(a) < balanceKeyText(b) ? -1 : 1));
  await completeWatched(
    tx,
    inOrder.map((charge) => ({ ...charge, workspaceId })),
  );
  await addToBalances(tx, inOrder);
  const { id, requestId, reason } = adjustment;
  // A request whose hold is released has no hold any more, so the whole adjustment is beyond it.
  const toBeyond = (charge: BalanceCharge) => ({
    beyond: [{ requestId, nanoUsd: charge.overrunNanoUsd || costNanoUsd }],
    beyondRequests: 1,
  });
  const beyondOf = new Map(inOrder.map((charge) => [balanceKeyText(charge), toBeyond(charge)]));
  const overrun = await recordOverruns(tx, inOrder, beyondOf);
  await sql`
    INSERT INTO spend_adjustment
      (id, organization_id, workspace_id, api_key_id, member_id, group_ids, tag_ids, request_id, started_at,
        cost_nano_usd, reason)
    VALUES (${id}, ${organizationId}, ${workspaceId}, ${apiKeyId}, ${memberId ?? ""}, ${groupIds.join(",")},
      ${tagIds.join(",")}, ${requestId}, ${startedAt}, ${costNanoUsd}, ${reason})`.execute(tx);
  return inOrder.filter((charge) => overrun.has(balanceKeyText(charge)));
}

/** Deletes the rows of an item. Locks its balances together with `others`, so that one order applies to all. */
async function removeItem(
  tx: Tx,
  organizationId: string,
  item: UnresolvedItem,
  others: readonly LeaseKey[],
): Promise<ReleasedLease[]> {
  await allowBudgetRelease(tx);
  const { rows } = await sql<ReleasedLease>`
    WITH taken AS (
      SELECT * FROM (
        SELECT *, CASE WHEN request_id = '' THEN 'node' WHEN request_id LIKE 'epoch:%' THEN 'journal'
          ELSE 'request' END AS kind
        FROM lease WHERE node_id = ${item.nodeId} AND organization_id = ${organizationId}::uuid
          AND unresolved_since IS NOT NULL
      ) AS row WHERE ${itemId} = ${item.id}
    )
    DELETE FROM lease USING taken
    WHERE lease.node_id = taken.node_id AND lease.request_id = taken.request_id
      AND lease.scope_type = taken.scope_type AND lease.scope_id = taken.scope_id
      AND lease.period = taken.period AND lease.period_start = taken.period_start
    RETURNING lease.node_id AS "nodeId", lease.request_id AS "requestId", lease.scope_type AS "scopeType",
      lease.scope_id AS "scopeId", lease.period, lease.period_start AS "periodStart",
      lease.organization_id AS "organizationId", ${leftOfRow} AS "amountNanoUsd",
      lease.granted_nano_usd IS NULL AS "isStored"`.execute(tx);
  await subtractUnresolved(tx, rows, others);
  return rows;
}

/** A recorded request, locked for a decision about its cost. Integer nano-USD. */
export interface CostedRequest extends UnresolvedRequest {
  requestId: string;
  outcome: Outcome;
  isEstimated: boolean;
  doubt: Doubt | null;
  recordedNanoUsd: bigint;
  adjustedNanoUsd: bigint;
  /** Null: no strict limit held the request. */
  holdNanoUsd: bigint | null;
  /** Null: nothing is unresolved. */
  unresolved: UnresolvedItem | null;
}

/** Finds a request with its unresolved spend, whose node is then locked. Null: unknown. The caller has the fold's lock. */
export async function lockRequestCost(
  tx: Tx,
  of: { organizationId: string; requestId: string; started: TimeRange },
): Promise<CostedRequest | null> {
  const { organizationId, requestId, started } = of;
  const { rows } = await sql<Omit<CostedRequest, "requestId" | "unresolved">>`
    SELECT ${requestColumns}, outcome, is_estimated AS "isEstimated", doubt, cost_nano_usd AS "recordedNanoUsd", hold_nano_usd AS "holdNanoUsd",
      coalesce((SELECT sum(a.cost_nano_usd) FROM spend_adjustment AS a
        WHERE a.request_id = ${requestId} AND a.organization_id = ${organizationId}::uuid), 0)::bigint AS "adjustedNanoUsd"
    FROM recorded_request
    WHERE started_at >= ${new Date(started.startMs)} AND started_at < ${new Date(started.endMs)}
      AND request_hash = hashtextextended(${requestId}, 0) AND request_id = ${requestId}
      AND organization_id = ${organizationId}::uuid`.execute(tx);
  const [row] = rows;
  if (row === undefined) return null;
  const isOfRequest = sql`kind = 'request' AND "leaseRequestId" = ${requestId}`;
  const { rows: items } = await selectItems(organizationId, isOfRequest, sql`LIMIT 1`).execute(tx);
  const [item] = items;
  const unresolved =
    item === undefined ? null : await lockUnresolved(tx, { organizationId, id: item.id });
  return { ...row, requestId, unresolved };
}

/**
 * Sets the whole cost of a request by an adjustment, and releases its unresolved spend. The caller has locked the request.
 * Returns the balances whose overrun grew.
 */
export async function setRequestCost(
  tx: Tx,
  request: CostedRequest,
  adjustment: Adjustment,
): Promise<BalanceKey[]> {
  const { recordedNanoUsd, adjustedNanoUsd, holdNanoUsd, unresolved } = request;
  const { organizationId, costNanoUsd } = adjustment;
  const before = recordedNanoUsd + adjustedNanoUsd;
  const grown =
    computeExcess(before + costNanoUsd, holdNanoUsd) - computeExcess(before, holdNanoUsd);
  const overrunNanoUsd = grown > 0n ? grown : 0n;
  const keys = listKeys(adjustment);
  if (unresolved === null) await lockBalances(tx, keys);
  else await removeItem(tx, organizationId, unresolved, keys);
  const charges = keys.map((key) => ({ ...key, nanoUsd: costNanoUsd, overrunNanoUsd }));
  return addAdjustment(tx, adjustment, charges);
}

export interface AdjustmentRow
  extends Omit<Adjustment, "organizationId" | "memberId" | "groupIds" | "tagIds"> {
  createdAt: Date;
}

/** Lists charges that are older than `from`, newest first, at most `limit`. */
export async function listAdjustments(
  db: Database | Tx,
  of: { organizationId: string; from: { createdAtMs: number; id: string } | null; limit: number },
): Promise<AdjustmentRow[]> {
  // A cursor has milliseconds only.
  const createdAt = sql`date_trunc('milliseconds', created_at)`;
  const isOlder = of.from
    ? sql`(${createdAt}, id) < (${new Date(of.from.createdAtMs)}::timestamptz, ${of.from.id})`
    : sql`true`;
  const { rows } = await sql<AdjustmentRow>`
    SELECT id, workspace_id AS "workspaceId", api_key_id AS "apiKeyId", request_id AS "requestId",
      started_at AS "startedAt", cost_nano_usd AS "costNanoUsd", reason, ${createdAt} AS "createdAt"
    FROM spend_adjustment WHERE organization_id = ${of.organizationId}::uuid AND ${isOlder}
    ORDER BY ${createdAt} DESC, id DESC LIMIT ${of.limit}`.execute(db);
  return rows;
}
