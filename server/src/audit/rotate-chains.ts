import type { Tx } from "#src/db/pool.ts";
import type { RandomBytes } from "#src/lib/ids.ts";
import { StartError } from "#src/lib/start-error.ts";
import { findCheckpoint, listAuditHeads, lockAuditHead } from "./audit.sql.ts";
import { appendAfterHead } from "./audited-transaction.ts";
import { deleteAllClaims } from "./claimed-changes.sql.ts";
import { openHead } from "./hash-event.ts";
import { makeSystemOrigin } from "./prune.ts";
import { readChainKeys, saveRetiredKeys } from "./retired-keys.ts";

/** Event of a rotation of the installation's secret. */
export const SECRET_ROTATED = "secret.rotated";

export interface ChainRotation {
  /** Key of the logs so far. */
  from: Buffer;
  /** Key of the event about the rotation, and of all later ones. */
  to: Buffer;
  randomBytes: RandomBytes;
  actor: { type: string; id: string };
  /** Counts for the event. */
  after: { readonly [name: string]: number };
}

/**
 * Continues each log with another key, in a transaction that changes the secret. The first event with the new key is
 * `secret.rotated`. Throws a StartError if this installation did not sign a log.
 */
export async function rotateChains(tx: Tx, rotation: ChainRotation): Promise<void> {
  const { from, to, randomBytes, actor, after } = rotation;
  // The key of the log identifies repeated requests, so no new request finds these rows.
  await deleteAllClaims(tx);
  for (const { organizationId } of await listAuditHeads(tx)) {
    const { now, ...stored } = await lockAuditHead(tx, organizationId);
    const head = openHead(from, stored);
    const keys = await readChainKeys(tx, from, organizationId);
    if (head === null || keys === null) {
      throw new StartError(
        "The audit log is not signed with the current secret, so it cannot be continued with another one. Start the server and " +
          "run `./bursar audit verify`.",
      );
    }
    const checkpoint = await findCheckpoint(tx, organizationId);
    const retired = { key: from, throughSeq: head.seq, checkpointSeq: checkpoint?.seq ?? null };
    await saveRetiredKeys(tx, organizationId, {
      current: to,
      retired: [...keys.retired, retired],
    });
    await appendAfterHead(
      tx,
      { randomBytes, auditKey: to },
      {
        head,
        now,
        organizationId,
        actor,
        origin: makeSystemOrigin({ randomBytes }, now),
        entry: {
          event: SECRET_ROTATED,
          subject: { type: "organization", id: organizationId },
          workspaceId: null,
          before: null,
          after,
        },
      },
    );
  }
}
