import { idPrefixes } from "@bursar/contract/ids.ts";
import type { AdminKeyScope } from "@bursar/contract/permissions.ts";
import type { Call } from "#src/access/call.ts";
import { revokeAdminKey as revokeRow } from "#src/access/stop-keys.sql.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { decideExpiry } from "#src/keys/api-keys/key-expiry.rule.ts";
import { readAllowedAddresses } from "#src/keys/api-keys/key-restrictions.ts";
import { newId } from "#src/lib/ids.ts";
import { findMaxKeyLifetimeDays } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import {
  type AdminKeyRow,
  type AdminKeyStatus,
  findAdminKey,
  findAdminKeyForUpdate,
  insertAdminKey,
  listAdminKeys as listRows,
} from "./admin-keys.sql.ts";
import { endWithCaller, restrictNewKey } from "./inherit-restrictions.ts";

export function statusOf(row: AdminKeyRow, nowMs: number): AdminKeyStatus {
  if (row.status !== "active") return row.status;
  return row.expires_at !== null && row.expires_at.getTime() <= nowMs ? "expired" : "active";
}

export interface NewAdminKey {
  name: string;
  expires_at?: string | null | undefined;
  scopes?: readonly AdminKeyScope[] | null | undefined;
  allowed_addresses?: readonly string[] | null | undefined;
}

/**
 * Creates an admin key. Only this result contains the secret. An omitted expiry becomes the latest allowed one. Throws a
 * 400 for an expiry in the past or beyond the organization's maximum lifetime. Throws a 403 for a key with more rights than
 * the calling key.
 */
export function createAdminKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewAdminKey,
): Promise<{ row: AdminKeyRow; secret: string }> {
  const nowMs = deps.nowMs();
  const { expires_at } = input;
  const requestedMs = typeof expires_at === "string" ? Date.parse(expires_at) : expires_at;
  const { organizationId } = caller;
  const restrictions = restrictNewKey(caller, {
    scopes: input.scopes && [...new Set(input.scopes)],
    allowed_addresses: readAllowedAddresses(input.allowed_addresses),
  });
  const { secret, hash, hint } = makeSecret("admin", deps.randomBytes);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const maxDays = await findMaxKeyLifetimeDays(tx, organizationId);
    const decidedMs = decideExpiry(requestedMs, { fromMs: nowMs, nowMs, maxDays });
    const expiresAtMs = endWithCaller(caller, decidedMs);
    const row: AdminKeyRow = {
      id: newId(idPrefixes.adminKey, nowMs, deps.randomBytes),
      name: input.name,
      status: "active",
      partial_key_hint: hint,
      created_by_type: caller.kind,
      created_by_id: caller.id,
      contact_member_id: null,
      created_at: new Date(nowMs),
      expires_at: expiresAtMs === null ? null : new Date(expiresAtMs),
      ...restrictions,
      revoked_at: null,
      last_used_at: null,
      last_used_address: null,
    };
    await insertAdminKey(tx, { ...row, organization_id: organizationId, secret_hash: hash });
    return { result: { row, secret }, audit: auditOf("admin_key.created", null, row) };
  });
}

export async function listAdminKeys(
  deps: AuditDeps,
  { caller }: Call,
  query: { status?: AdminKeyStatus | undefined },
  page: PageRequest,
): Promise<PageOfRows<AdminKeyRow>> {
  const { organizationId } = caller;
  const filter = { organizationId, status: query.status, nowMs: deps.nowMs() };
  return toPage(await listRows(deps.database, filter, page), page);
}

export async function getAdminKey(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<AdminKeyRow> {
  const row = await findAdminKey(deps.database, { organizationId: caller.organizationId, id });
  if (row === null) throw adminKeyNotFound();
  return row;
}

/** Revokes a key permanently. A key may revoke itself. A revoked key stays unchanged. */
export function revokeAdminKey(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<AdminKeyRow> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findAdminKeyForUpdate(tx, { organizationId, id });
    if (before === null) throw adminKeyNotFound();
    if (before.status === "revoked") return { result: before, audit: "unchanged" };
    const revokedAt = new Date(deps.nowMs());
    await revokeRow(tx, { organizationId, id, revokedAt });
    const after: AdminKeyRow = { ...before, status: "revoked", revoked_at: revokedAt };
    return { result: after, audit: auditOf("admin_key.revoked", before, after) };
  });
}

function adminKeyNotFound(): ApiError {
  return new ApiError("resource_not_found", "Admin key not found", {}, { resource: "admin_key" });
}

function auditOf(
  event: `admin_key.${string}`,
  before: AdminKeyRow | null,
  after: AdminKeyRow,
): AuditEntry {
  return {
    event,
    subject: { type: "admin_key", id: after.id },
    workspaceId: null,
    before: before && toAudit(before),
    after: toAudit(after),
  };
}

function toAudit(row: AdminKeyRow) {
  return {
    name: row.name,
    status: row.status,
    partial_key_hint: row.partial_key_hint,
    expires_at: row.expires_at?.toISOString() ?? null,
    scopes: row.scopes,
    allowed_addresses: row.allowed_addresses,
  };
}
