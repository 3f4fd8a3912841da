import { upstream } from "@bursar/contract/admin/upstreams.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import { seal } from "#src/lib/seal.ts";
import type { AllowedTargets } from "#src/lib/target-address.ts";
import { toWire } from "./to-wire.ts";
import { checkTarget } from "./upstream-target.ts";
import {
  formatCredentialHint,
  parseUpstreamUrl,
  upstreamSealContext,
} from "./upstream-url.rule.ts";
import {
  deleteUpstream as deleteRow,
  findUpstream,
  findUpstreamForUpdate,
  insertUpstream,
  listUpstreams as listRows,
  type UpstreamRow,
  updateUpstream as updateRow,
} from "./upstreams.sql.ts";

export interface UpstreamDeps extends AuditDeps {
  /** Derived from `BURSAR_SECRET`: see lib/seal.ts. */
  sealingKey: Buffer;
  /** Private addresses that an upstream may have: `BURSAR_ALLOW_PRIVATE_UPSTREAMS`. */
  privateUpstreams: AllowedTargets;
}

/** Lists the upstreams. There is at most one, so it is always the last page. */
export async function listUpstreams(
  deps: UpstreamDeps,
  { caller }: Call,
  page: PageRequest,
): Promise<PageOfRows<UpstreamRow>> {
  return toPage(await listRows(deps.database, caller.organizationId), page);
}

export async function getUpstream(
  deps: UpstreamDeps,
  { caller }: Call,
  id: string,
): Promise<UpstreamRow> {
  const row = await findUpstream(deps.database, { organizationId: caller.organizationId, id });
  if (row === null) throw upstreamNotFound();
  return row;
}

/** Throws a 400 for a URL that is private or not safe for a credential, and a 409 if the organization has an upstream. */
export async function createUpstream(
  deps: UpstreamDeps,
  { caller, origin }: Call,
  input: { name: string; base_url: string; credential?: string | undefined },
): Promise<UpstreamRow> {
  const now = new Date(deps.nowMs());
  const id = newId(idPrefixes.upstream, now.getTime(), deps.randomBytes);
  const base_url = parseUrl(deps, input.base_url);
  const row = {
    id,
    name: input.name,
    base_url,
    ...sealCredential(deps, { id, base_url }, input.credential ?? null),
    created_at: now,
    updated_at: now,
  };
  try {
    return await auditedTransaction(deps, caller, origin, async (tx) => {
      await insertUpstream(tx, caller.organizationId, row);
      return { result: row, audit: auditOf("upstream.created", null, row) };
    });
  } catch (error) {
    if (!isUniqueViolation(error, "upstream_one_shared")) throw error;
    throw new ApiError(
      "already_exists",
      "The organization already has an upstream: update it, or delete it first.",
    );
  }
}

export interface UpstreamChange {
  name?: string | undefined;
  base_url?: string | undefined;
  credential?: string | null | undefined;
}

/**
 * Updates an upstream. Omitted fields stay. A new URL without a new credential deletes the credential, because a change
 * of the address must not send it to another server.
 */
export function updateUpstream(
  deps: UpstreamDeps,
  { caller, origin }: Call,
  id: string,
  change: UpstreamChange,
): Promise<UpstreamRow> {
  const newUrl = change.base_url === undefined ? undefined : parseUrl(deps, change.base_url);
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findUpstreamForUpdate(tx, { organizationId, id });
    if (before === null) throw upstreamNotFound();
    const base_url = newUrl ?? before.base_url;
    const credential =
      base_url === before.base_url ? change.credential : (change.credential ?? null);
    const unchanged = {
      credential_sealed: before.credential_sealed,
      credential_hint: before.credential_hint,
    };
    const changed: UpstreamRow = {
      ...before,
      name: change.name ?? before.name,
      base_url,
      ...(credential === undefined
        ? unchanged
        : sealCredential(deps, { id, base_url }, credential)),
    };
    if (isSame(before, changed)) return { result: before, audit: "unchanged" };
    const after = { ...changed, updated_at: new Date(deps.nowMs()) };
    await updateRow(tx, organizationId, after);
    const isReplaced = typeof credential === "string";
    return { result: after, audit: auditOf("upstream.updated", before, after, isReplaced) };
  });
}

export function deleteUpstream(
  deps: UpstreamDeps,
  { caller, origin }: Call,
  id: string,
): Promise<void> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findUpstreamForUpdate(tx, { organizationId, id });
    if (before === null) throw upstreamNotFound();
    await deleteRow(tx, { organizationId, id });
    return { result: undefined, audit: auditOf("upstream.deleted", before, null) };
  });
}

function parseUrl({ privateUpstreams }: UpstreamDeps, text: string): string {
  return checkTarget(parseUpstreamUrl(text), privateUpstreams);
}

function sealCredential(
  deps: UpstreamDeps,
  row: { id: string; base_url: string },
  credential: string | null,
): Pick<UpstreamRow, "credential_sealed" | "credential_hint"> {
  if (credential === null) return { credential_sealed: null, credential_hint: null };
  const context = upstreamSealContext(row.id, row.base_url);
  return {
    credential_sealed: seal(deps.sealingKey, credential, context),
    credential_hint: formatCredentialHint(credential),
  };
}

function upstreamNotFound(): ApiError {
  return new ApiError("resource_not_found", "Upstream not found", {}, { resource: "upstream" });
}

const auditedFields = upstream.omit({ id: true, type: true, created_at: true, updated_at: true });

function auditOf(
  event: `upstream.${string}`,
  before: UpstreamRow | null,
  after: UpstreamRow | null,
  isCredentialReplaced = false,
): AuditEntry {
  return {
    event,
    subject: { type: "upstream", id: (after ?? before)?.id ?? "" },
    workspaceId: null,
    before: before && auditedFields.parse(toWire(before)),
    after: after && {
      ...auditedFields.parse(toWire(after)),
      credential_replaced: isCredentialReplaced,
    },
  };
}
