import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { newId } from "#src/lib/ids.ts";
import { findDirectory, findDirectoryForUpdate } from "#src/people/directory/directories.sql.ts";
import { directoryNotFound } from "#src/people/directory/directories.ts";
import {
  countValidTokens,
  endToken,
  findTokenForUpdate,
  insertToken,
  listTokens as listRows,
  type ScimTokenRow,
} from "./tokens.sql.ts";

export interface NewToken {
  row: ScimTokenRow;
  /** Only this result contains it. */
  secret: string;
}

/** Several are valid during rotations. */
const MAX_VALID_TOKENS = 10;

export function statusOf(row: ScimTokenRow, nowMs: number): "active" | "expired" | "revoked" {
  if (row.revoked_at !== null) return "revoked";
  return row.valid_until !== null && row.valid_until.getTime() <= nowMs ? "expired" : "active";
}

/** Throws a 404. */
export async function listTokens(
  deps: AuditDeps,
  { caller: { organizationId } }: Call,
  directoryId: string,
  page: PageRequest,
): Promise<PageOfRows<ScimTokenRow>> {
  const found = await findDirectory(deps.database, { organizationId, id: directoryId });
  if (found === null) throw directoryNotFound();
  return toPage(await listRows(deps.database, { organizationId, directoryId }, page), page);
}

/** Throws a 404, and a 409 for a directory with ten valid tokens. */
export function createToken(
  deps: AuditDeps,
  { caller, origin }: Call,
  directoryId: string,
): Promise<NewToken> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockDirectory(tx, caller, directoryId);
    const made = await insertNew(tx, deps, { caller, directoryId });
    return { result: made, audit: auditOf("scim_token.created", null, made.row, deps.nowMs()) };
  });
}

/**
 * Creates another token, and ends the old one after the grace period. Throws a 404, and a 400 for a token that is not
 * active.
 */
export function rotateToken(
  deps: AuditDeps,
  { caller, origin }: Call,
  { directoryId, id }: { directoryId: string; id: string },
  graceSeconds: number,
): Promise<NewToken> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const nowMs = deps.nowMs();
    const before = await lockToken(tx, caller, { directoryId, id });
    const status = statusOf(before, nowMs);
    if (status !== "active") {
      throw new ApiError("scim_token_ended", `This SCIM token is ${status}. Create another one.`);
    }
    const made = await insertNew(tx, deps, { caller, directoryId });
    const endMs = Math.min(
      nowMs + graceSeconds * 1000,
      before.valid_until?.getTime() ?? Number.POSITIVE_INFINITY,
    );
    const after = { ...before, valid_until: new Date(endMs) };
    await endToken(tx, after);
    return {
      result: made,
      audit: [
        auditOf("scim_token.created", null, made.row, nowMs),
        auditOf("scim_token.rotated", before, after, nowMs),
      ],
    };
  });
}

/** Throws a 404. A revoked token stays unchanged. */
export function revokeToken(
  deps: AuditDeps,
  { caller, origin }: Call,
  { directoryId, id }: { directoryId: string; id: string },
): Promise<ScimTokenRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockToken(tx, caller, { directoryId, id });
    if (before.revoked_at !== null) return { result: before, audit: "unchanged" };
    const nowMs = deps.nowMs();
    const after = { ...before, revoked_at: new Date(nowMs) };
    await endToken(tx, after);
    return { result: after, audit: auditOf("scim_token.revoked", before, after, nowMs) };
  });
}

async function insertNew(
  tx: Tx,
  deps: AuditDeps,
  { caller, directoryId }: { caller: Caller; directoryId: string },
): Promise<NewToken> {
  const { organizationId } = caller;
  const nowMs = deps.nowMs();
  const now = new Date(nowMs);
  if ((await countValidTokens(tx, { organizationId, directoryId, now })) >= MAX_VALID_TOKENS) {
    throw new ApiError(
      "too_many_secrets",
      `A directory has at most ${MAX_VALID_TOKENS} valid SCIM tokens. Revoke one first.`,
    );
  }
  const { secret, hash, hint } = makeSecret("scim", deps.randomBytes);
  const row: ScimTokenRow = {
    id: newId(idPrefixes.scimToken, nowMs, deps.randomBytes),
    directory_id: directoryId,
    partial_token_hint: hint,
    created_by_type: caller.kind,
    created_by_id: caller.id,
    created_at: now,
    valid_until: null,
    revoked_at: null,
    last_used_at: null,
  };
  await insertToken(tx, { ...row, organization_id: organizationId, secret_hash: hash });
  return { row, secret };
}

async function lockDirectory(tx: Tx, { organizationId }: Caller, id: string): Promise<void> {
  if ((await findDirectoryForUpdate(tx, { organizationId, id })) === null)
    throw directoryNotFound();
}

async function lockToken(
  tx: Tx,
  caller: Caller,
  { directoryId, id }: { directoryId: string; id: string },
): Promise<ScimTokenRow> {
  await lockDirectory(tx, caller, directoryId);
  const { organizationId } = caller;
  const row = await findTokenForUpdate(tx, { organizationId, directoryId, id });
  if (row !== null) return row;
  throw new ApiError("resource_not_found", "SCIM token not found", {}, { resource: "scim_token" });
}

function auditOf(
  event: `scim_token.${string}`,
  before: ScimTokenRow | null,
  after: ScimTokenRow,
  nowMs: number,
): AuditEntry {
  const toAudit = (row: ScimTokenRow) => ({
    directory_id: row.directory_id,
    partial_token_hint: row.partial_token_hint,
    status: statusOf(row, nowMs),
    expires_at: row.valid_until?.toISOString() ?? null,
  });
  return {
    event,
    subject: { type: "scim_token", id: after.id },
    workspaceId: null,
    before: before && toAudit(before),
    after: toAudit(after),
  };
}
