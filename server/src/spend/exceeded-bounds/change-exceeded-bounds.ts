import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { fireExceededBound } from "#src/alerts/firing/fire-exceeded-bounds.ts";
import type { AlertingDeps } from "#src/alerts/firing/recorded-firing.ts";
import {
  type AuditDeps,
  auditedTransaction,
  auditedTransactionByActor,
} from "#src/audit/audited-transaction.ts";
import { makeSystemOrigin } from "#src/audit/prune.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { readCursor } from "#src/domain/page-position.ts";
import { newId } from "#src/lib/ids.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import {
  deleteExceededBound as deleteRow,
  type ExceededBound,
  insertExceededBound,
  listExceededBounds as listRows,
} from "./exceeded-bounds.sql.ts";

/** A stream that was faster than its model's speed, or whose tool results were beyond their bound. */
export interface ObservedExcess {
  organizationId: string;
  kind: ExceededBound["kind"];
  /** Name of the model, or type of the tool. */
  name: string;
  /** Tokens per second of a model, or tokens of the calls that read results of a tool. */
  observed: number;
  allowed: number;
  requestId: string;
}

/** Stores the model or tool once, and fires its alert in the same transaction. Every node then holds it whole. */
export function recordExceededBound(
  deps: AuditDeps & AlertingDeps,
  excess: ObservedExcess,
): Promise<null> {
  const { organizationId, kind, name, requestId } = excess;
  const now = new Date(deps.nowMs());
  const actor = { type: "system", id: "stream_meter" };
  const maker = { organizationId, actor, origin: makeSystemOrigin(deps, now) };
  return auditedTransactionByActor(deps, maker, async (tx) => {
    const row = {
      id: newId(idPrefixes.exceededBound, now.getTime(), deps.randomBytes),
      ...{ organizationId, kind, name, requestId },
      observed: BigInt(Math.ceil(excess.observed)),
      allowed: BigInt(Math.ceil(excess.allowed)),
      exceededAt: now,
    };
    if (!(await insertExceededBound(tx, row))) return { result: null, audit: "unchanged" };
    await fireExceededBound(tx, deps, { ...row, day: now.toISOString().slice(0, 10) });
    const subject = { type: "exceeded_bound", id: row.id } as const;
    const event = "exceeded_bound.recorded";
    const audit = { event, subject, workspaceId: null, before: null, after: toAudit(row) } as const;
    return { result: null, audit };
  });
}

/** Lists rows, newest first. The cursor is the last listed row. */
export async function listExceededBounds(
  deps: AuditDeps,
  { caller }: Call,
  query: { limit: number; page?: string | undefined },
): Promise<{ rows: ExceededBound[]; nextPage: string | null }> {
  const filters = { list: "exceeded_bounds" };
  const after = query.page && String(readCursor(query.page, filters, ["string"])[0]);
  const all = await listRows(deps.database, caller.organizationId);
  const rest = after ? all.filter(({ id }) => id < after) : all;
  const rows = rest.slice(0, query.limit);
  const last = rows.at(-1);
  const hasMore = rest.length > rows.length && last !== undefined;
  return { rows, nextPage: hasMore ? encodeCursor([last.id], filters) : null };
}

/** Deletes a row, so that nodes hold the model or tool in steps again. Throws a 404. */
export function deleteExceededBound(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<{ id: string }> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await deleteRow(tx, { organizationId, id });
    if (before === null) {
      const facts = { resource: "exceeded_bound" } as const;
      throw new ApiError("resource_not_found", "Exceeded bound not found", {}, facts);
    }
    const subject = { type: "exceeded_bound", id } as const;
    const event = "exceeded_bound.deleted";
    const audit = {
      event,
      subject,
      workspaceId: null,
      before: toAudit(before),
      after: null,
    } as const;
    return { result: { id }, audit };
  });
}

function toAudit({ kind, name, observed, allowed, requestId }: ExceededBound) {
  return {
    kind,
    name,
    observed_tokens: Number(observed),
    allowed_tokens: Number(allowed),
    request_id: requestId,
  };
}
