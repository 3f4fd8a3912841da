import type { laptop } from "@bursar/contract/admin/laptops.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { REFRESH_TOKEN_MS } from "#src/key-lookup/access-tokens.ts";
import { endLaptops } from "#src/key-lookup/end-laptops.sql.ts";
import { getMemberForSignOut } from "#src/people/members/members.ts";
import {
  findLaptop,
  type LaptopRow,
  listLaptops as listRows,
  lockLaptop,
  renameLaptop,
} from "./laptops.sql.ts";

/** End of a laptop without a maximum lifetime. */
export const NO_END = new Date("9999-12-31T00:00:00.000Z");

interface LaptopQuery {
  member_id?: string | undefined;
  workspace_id?: string | undefined;
  status?: "active" | "ended" | undefined;
}

type ListDeps = Pick<AuditDeps, "database" | "nowMs">;

/** Lists laptops of all members of the organization. */
export async function listLaptops(
  deps: ListDeps,
  { caller }: Call,
  query: LaptopQuery,
  page: PageRequest,
): Promise<PageOfRows<LaptopRow>> {
  const filter = {
    organizationId: caller.organizationId,
    memberId: query.member_id,
    workspaceId: query.workspace_id,
    status: query.status,
    now: new Date(deps.nowMs()),
    rotatedAfter: new Date(deps.nowMs() - REFRESH_TOKEN_MS),
  };
  return toPage(await listRows(deps.database, filter, page), page);
}

export function listOwnLaptops(
  deps: ListDeps,
  call: Call,
  { status }: Pick<LaptopQuery, "status">,
  page: PageRequest,
): Promise<PageOfRows<LaptopRow>> {
  return listLaptops(deps, call, { member_id: getMemberCaller(call).id, status }, page);
}

/** Renames a laptop of the caller. Throws a 404 for any other. */
export function renameOwnLaptop(
  deps: AuditDeps,
  call: Call,
  id: string,
  name: string,
): Promise<LaptopRow> {
  const { organizationId, id: memberId } = getMemberCaller(call);
  return auditedTransaction(deps, call.caller, call.origin, async (tx) => {
    const row = await lockLaptop(tx, { organizationId, memberId, id });
    if (row === null) throw laptopNotFound();
    const after = { ...row, name };
    if (row.name === name) return { result: row, audit: "unchanged" };
    await renameLaptop(tx, id, name);
    return { result: after, audit: auditOfLaptop("laptop.renamed", row, after) };
  });
}

/** Ends a laptop of the caller. An ended laptop stays unchanged. Throws a 404 for any other. */
export function endOwnLaptop(deps: AuditDeps, call: Call, id: string): Promise<LaptopRow> {
  const { organizationId, id: memberId } = getMemberCaller(call);
  return auditedTransaction(deps, call.caller, call.origin, async (tx) => {
    const row = await lockLaptop(tx, { organizationId, memberId, id });
    if (row === null) throw laptopNotFound();
    return endOne(tx, row, { now: new Date(deps.nowMs()), reason: "ended" });
  });
}

/**
 * Ends a laptop of any member. Throws a 404 for an unknown one and a 403 for a member above the caller. Throws a 400 for a
 * laptop of the caller, who has another route.
 */
export function endLaptop(deps: AuditDeps, { caller, origin }: Call, id: string) {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const found = await findLaptop(tx, { organizationId, id });
    if (found === null) throw laptopNotFound();
    await getMemberForSignOut(tx, caller, found.member_id);
    const row = await lockLaptop(tx, { organizationId, id });
    if (row === null) throw laptopNotFound();
    return endOne(tx, row, { now: new Date(deps.nowMs()), reason: "ended_by_admin" });
  });
}

/** Ends a locked laptop. Returns its new row and the audit entry. */
export async function endOne(
  tx: Tx,
  row: LaptopRow,
  { now, reason }: { now: Date; reason: NonNullable<LaptopRow["end_reason"]> },
): Promise<{ result: LaptopRow; audit: AuditEntry | "unchanged" }> {
  const of = { memberId: row.member_id, laptopId: row.id, now, reason };
  if ((await endLaptops(tx, of)) === 0) return { result: row, audit: "unchanged" };
  const after = { ...row, valid_until: now, end_reason: reason };
  return { result: after, audit: auditOfLaptop("laptop.ended", row, after) };
}

/** The subject is the Claude Code key, so that nodes drop the laptop from their caches. */
export function auditOfLaptop(
  event: `laptop.${string}`,
  before: LaptopRow | null,
  after: LaptopRow,
): AuditEntry {
  return {
    event,
    subject: { type: "api_key", id: after.api_key_id },
    workspaceId: after.workspace_id,
    before: before && toAudit(before),
    after: toAudit(after),
  };
}

function toAudit(row: LaptopRow) {
  return {
    laptop_id: row.id,
    member_id: row.member_id,
    name: row.name,
    client_version: row.client_version,
    ip_address: row.address,
    expires_at: formatEnd(row),
    end_reason: row.end_reason,
  };
}

function formatEnd({ valid_until }: LaptopRow): string | null {
  return valid_until.getTime() >= NO_END.getTime() ? null : valid_until.toISOString();
}

export function toLaptop(row: LaptopRow, nowMs: number): z.input<typeof laptop> {
  const idleEndMs = row.rotated_at.getTime() + REFRESH_TOKEN_MS;
  const isEnded = row.valid_until.getTime() <= nowMs || idleEndMs <= nowMs;
  return {
    id: row.id,
    type: "laptop",
    name: row.name,
    member: { id: row.member_id, name: row.member_name, email: row.member_email },
    workspace_id: row.workspace_id,
    api_key_id: row.api_key_id,
    client_version: row.client_version,
    ip_address: row.address,
    status: isEnded ? "ended" : "active",
    end_reason: row.end_reason,
    last_used: row.last_used_at && {
      at: row.last_used_at.toISOString(),
      address: row.last_used_address,
      model: row.last_used_model,
    },
    created_at: row.created_at.toISOString(),
    expires_at: formatEnd(row),
  };
}

export function laptopNotFound(): ApiError {
  return new ApiError("resource_not_found", "Laptop not found", {}, { resource: "laptop" });
}
