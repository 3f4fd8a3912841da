import { idPrefixes } from "@bursar/contract/ids.ts";
import { type AuditDeps, auditedTransactionByActor } from "#src/audit/audited-transaction.ts";
import { confirmHeldKeys, type HeldKey, listHeldKeys } from "#src/key-lookup/held-keys.sql.ts";
import { newId } from "#src/lib/ids.ts";
import { BackupError } from "./backup-error.ts";

/** Keys in one transaction. Each key has its own audit event. */
const BATCH = 200;

/**
 * Confirms keys that a restore holds, each with an audit event. Nodes accept them within a second. Returns the
 * confirmed keys. Throws a BackupError before any change for an id that is not held.
 */
export async function confirmKeys(
  deps: AuditDeps,
  { ids, actor }: { ids: readonly string[] | "all"; actor: { type: string; id: string } },
): Promise<HeldKey[]> {
  const held = await listHeldKeys(deps.database, ids === "all" ? undefined : ids);
  const unknown = ids === "all" ? [] : ids.filter((id) => !held.some((key) => key.id === id));
  if (unknown.length > 0) {
    throw new BackupError(
      "not_found",
      `No key with this id waits for confirmation: ${unknown.join(", ")}. Run \`./bursar restore keys\` for a list.`,
    );
  }
  const confirmed: HeldKey[] = [];
  for (const organizationId of new Set(held.map((key) => key.organizationId))) {
    const keys = held.filter((key) => key.organizationId === organizationId);
    for (let at = 0; at < keys.length; at += BATCH) {
      confirmed.push(...(await confirmBatch(deps, keys.slice(at, at + BATCH), actor)));
    }
  }
  return confirmed;
}

function confirmBatch(
  deps: AuditDeps,
  keys: readonly HeldKey[],
  actor: { type: string; id: string },
): Promise<HeldKey[]> {
  const organizationId = keys[0]?.organizationId ?? "";
  const requestId = newId(idPrefixes.request, deps.nowMs(), deps.randomBytes);
  const origin = { requestId, ipAddress: null, userAgent: null };
  return auditedTransactionByActor(deps, { organizationId, actor, origin }, async (tx) => {
    const ids = await confirmHeldKeys(
      tx,
      keys.map(({ id }) => id),
    );
    const result = keys.filter(({ id }) => ids.includes(id));
    return {
      result,
      audit: result.map(({ id, kind, workspaceId, name }) => ({
        event: `${kind}.confirmed` as const,
        subject: { type: kind, id },
        workspaceId,
        before: { name, status: "inactive" },
        after: { name, status: "active" },
      })),
    };
  });
}
