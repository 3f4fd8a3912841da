import type { Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { ActorType, IncreaseStatus } from "./increase-requests.sql.ts";

// Statements that lock, count and change increase requests.

/** Returns the status of a request, and locks the request until the transaction ends. */
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

export interface Requester {
  organizationId: string;
  requesterType: ActorType;
  requesterId: string;
}

/** Finds the requester's pending request for the limit, and locks it until the transaction ends. */
export async function lockPendingRequest(
  tx: Tx,
  of: Requester & { scopeType: ScopeType; scopeId: string; period: PeriodName },
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

export interface NewRequest extends Requester {
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

export async function updateRequest(
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

/** Counts the requests of the requester since a time, in any status. */
export async function countRequests(tx: Tx, of: Requester & { since: Date }): Promise<number> {
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
