import type { FieldError } from "@bursar/contract/error-facts.ts";
import type { Call } from "#src/access/call.ts";
import { apiKeyNotFound, refuseArchivedKey } from "#src/access/visible-workspace.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { deleteHeldKeys } from "#src/key-lookup/held-keys.sql.ts";
import { isSame } from "#src/lib/is-same.ts";
import { mapInParts } from "#src/lib/slices.ts";
import { findApiKeysForUpdate } from "./api-keys.sql.ts";
import { applyKeyChange, checkKeyChange } from "./apply-key-change.ts";
import { auditOf } from "./audit-of-key.ts";
import { type ApiKeyStatus, statusOf } from "./describe-api-keys.ts";
import { checkCanChangeKey, scopeOf } from "./key-rights.ts";
import { type RankedKey, readRankedKeys } from "./ranked-restrictions.ts";
import { saveRestrictions } from "./restrictions.sql.ts";
import { saveStoppedKeys } from "./stopped-keys.sql.ts";

// Disables or archives many keys with few statements. `updateApiKey` has the same rules for one.

type StopStatus = "inactive" | "archived";

export interface StoppedKeys {
  changed: number;
  keys: { id: string; name: string; workspaceId: string; status: ApiKeyStatus }[];
}

/**
 * Stops keys in one transaction, all or none. A key that has the status already stays as it is. Throws a 404 if a key is
 * missing, and a 403 if the caller can only see one. Throws a 400 for a key whose state forbids the change. The refusal
 * lists all such keys.
 */
export function stopApiKeys(
  deps: AuditDeps,
  { caller, origin }: Call,
  { ids, status }: { ids: readonly string[]; status: StopStatus },
): Promise<StoppedKeys> {
  const nowMs = deps.nowMs();
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const context = { caller, status, nowMs };
    const decided = decideAll(await findStoppableKeys(tx, caller, ids), ids, context);
    const changes = decided.filter(({ before, after }) => !isSame(before, after));
    const audit = await saveChanges(tx, caller, changes);
    const keys = decided.map(({ after: { row } }) => ({
      id: row.id,
      name: row.name,
      workspaceId: row.workspace_id,
      status: statusOf(row, nowMs),
    }));
    const result = { changed: changes.length, keys };
    return { result, audit: audit.length > 0 ? audit : "unchanged" };
  });
}

interface StopContext {
  caller: Caller;
  status: StopStatus;
  nowMs: number;
}

interface DecidedStop {
  before: RankedKey;
  after: RankedKey;
}

/** Keys that the caller can see, locked and by id. */
async function findStoppableKeys(
  tx: Tx,
  caller: Caller,
  ids: readonly string[],
): Promise<Map<string, RankedKey>> {
  // One statement locks all rows, so that they are locked in the order of their ids.
  const rows = await findApiKeysForUpdate(tx, scopeOf(caller), [...new Set(ids)]);
  const keys = await mapInParts(rows, (part) => readRankedKeys(tx, part));
  return new Map(keys.map((key) => [key.row.id, key]));
}

/** Decides the change of each key once, in the order of the request. Throws the refusals of all keys as one. */
function decideAll(
  found: ReadonlyMap<string, RankedKey>,
  ids: readonly string[],
  context: StopContext,
): DecidedStop[] {
  const decided = new Map<string, DecidedStop>();
  const refused: { index: number; id: string; error: ApiError }[] = [];
  for (const [index, id] of ids.entries()) {
    if (decided.has(id)) continue;
    try {
      decided.set(id, decideStop(found.get(id), context));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      refused.push({ index, id, error });
    }
  }
  if (refused.length > 0) throw refuseAll(refused);
  return [...decided.values()];
}

function decideStop(
  before: RankedKey | undefined,
  { caller, status, nowMs }: StopContext,
): DecidedStop {
  if (before === undefined) throw apiKeyNotFound();
  const { row } = before;
  checkCanChangeKey(caller, row);
  if (row.status === "archived") {
    if (status === "archived") return { before, after: before };
    throw refuseArchivedKey();
  }
  const columns = {
    tags: row.tags,
    tag_ranks: row.tag_ranks,
    user_directory_id: row.user_directory_id,
    requires_user: row.requires_user,
    allowed_origins: row.allowed_origins,
  };
  const after = applyKeyChange(before, { status }, { caller, nowMs, maxDays: null, columns });
  checkKeyChange(statusOf(row, nowMs), before, after);
  return { before, after };
}

/** Refusals whose code the answer has if there are several, the most serious first. */
const precedence = ["resource_not_found", "permission_denied"] as const;

function refuseAll(refused: readonly { index: number; id: string; error: ApiError }[]): ApiError {
  const fields = refused.map(
    ({ index, id, error }): FieldError => ({
      path: `ids.${index}`,
      message: `${id}: ${error.message}`,
    }),
  );
  const worst =
    precedence
      .map((code) => refused.find(({ error }) => error.code === code))
      .find((each) => each !== undefined) ?? refused[0];
  const count = refused.length === 1 ? "One key" : `${refused.length} keys`;
  const message = `${count} cannot be changed, so none was. ${worst?.error.message ?? ""}`;
  const facts = { resource: "api_key", fields } as const;
  switch (worst?.error.code) {
    case "resource_not_found":
    case "resource_archived":
    case "resource_expired":
      return new ApiError(worst.error.code, message, {}, facts);
    default:
      return new ApiError("permission_denied", message, {}, { fields });
  }
}

/** Saves the keys. Returns one audit event for each. */
function saveChanges(
  tx: Tx,
  { organizationId }: Caller,
  changes: readonly DecidedStop[],
): Promise<AuditEntry[]> {
  return mapInParts(changes, async (part) => {
    const rows = part.map(({ after }) => after.row);
    await saveStoppedKeys(tx, organizationId, rows);
    await saveRestrictions(
      tx,
      part.map(({ after }) => ({ apiKeyId: after.row.id, restrictions: after.restrictions })),
    );
    await deleteHeldKeys(
      tx,
      rows.map(({ id }) => id),
    );
    return part.map(({ before, after }) => auditOf("api_key.updated", before, after));
  });
}
