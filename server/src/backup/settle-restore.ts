import { idPrefixes } from "@bursar/contract/ids.ts";
import { listAuditHeads } from "#src/audit/audit.sql.ts";
import { type AuditDeps, appendAuditEvent } from "#src/audit/audited-transaction.ts";
import { beginKeyedChains } from "#src/audit/begin-keyed-chains.ts";
import { bumpChangeCounter } from "#src/db/change-watch.ts";
import type { Tx } from "#src/db/pool.ts";
import { endAllLaptops } from "#src/key-lookup/end-laptops.sql.ts";
import { holdWorkingKeys } from "#src/key-lookup/held-keys.sql.ts";
import { newId } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { voidAllLeases } from "#src/spend/ledger/leases.sql.ts";
import {
  countPeople,
  deleteWaitingSecrets,
  endSessions,
  failQueuedMessages,
  recordRestore,
  revokeOpenInvites,
} from "./settle-restore.sql.ts";

export interface SettleOptions {
  /** Time of the backup or of the recovered state. Null: unknown. */
  backupMadeAt: Date | null;
  /** Decides whether active keys wait for confirmation. */
  keys: "hold" | "trust";
  actor: { type: string; id: string };
}

export interface SettledRestore {
  nodes: number;
  /** Sum over all balances. Money that counts in several balances counts in each. */
  leasedNanoUsd: bigint;
  sessionsEnded: number;
  invitesRevoked: number;
  messagesNotSent: number;
  heldApiKeys: number;
  heldAdminKeys: number;
  /** People who can sign in, as in the backup. */
  people: number;
}

/**
 * Settles a database with an earlier state before any node starts on it, in one transaction. Nodes get new epochs, and
 * their leases become unresolved. Sessions, laptops and invites end, waiting messages are not sent, and keys are held. Each
 * organization's audit log records the restore. Throws without any change if a log is not signed by this installation.
 */
export async function settleRestore(
  deps: AuditDeps & { logger: Logger },
  options: SettleOptions,
): Promise<SettledRestore> {
  await beginKeyedChains({ ...deps, findAnchor: () => null });
  return inSignedTransaction(deps, async (tx) => {
    const { nodes, leasedNanoUsd } = await voidAllLeases(tx);
    const sessionsEnded = await endSessions(tx);
    await deleteWaitingSecrets(tx);
    const laptops = await endAllLaptops(tx, new Date(deps.nowMs()));
    const invites = await revokeOpenInvites(tx);
    const messages = await failQueuedMessages(tx, formatReason(options.backupMadeAt));
    const held = options.keys === "hold" ? await holdWorkingKeys(tx) : [];
    const heldOf = (kind: string, organizationId?: string) =>
      held
        .filter((each) => each.kind === kind)
        .filter((each) => organizationId === undefined || each.organizationId === organizationId)
        .reduce((sum, { count }) => sum + count, 0);
    for (const { organizationId } of await listAuditHeads(tx)) {
      await appendRestored(tx, deps, options, {
        organizationId,
        nodes,
        api_keys_held: heldOf("api_key", organizationId),
        admin_keys_held: heldOf("admin_key", organizationId),
        laptops_ended: laptops.filter((id) => id === organizationId).length,
        invites_revoked: invites.filter((id) => id === organizationId).length,
        messages_not_sent: messages.filter((id) => id === organizationId).length,
      });
    }
    const restoredAt = new Date(deps.nowMs());
    await recordRestore(tx, { restoredAt, backupMadeAt: options.backupMadeAt });
    await bumpChangeCounter(tx);
    return {
      nodes,
      leasedNanoUsd,
      sessionsEnded,
      invitesRevoked: invites.length,
      messagesNotSent: messages.length,
      heldApiKeys: heldOf("api_key"),
      heldAdminKeys: heldOf("admin_key"),
      people: await countPeople(tx),
    };
  });
}

function formatReason(backupMadeAt: Date | null): string {
  const when = backupMadeAt === null ? "an earlier moment" : backupMadeAt.toISOString();
  return `The message was waiting when the database was restored to ${when}, and may have been sent after that.`;
}

async function appendRestored(
  tx: Tx,
  deps: AuditDeps,
  { backupMadeAt, keys, actor }: SettleOptions,
  { organizationId, ...counts }: { organizationId: string } & Record<string, number | string>,
): Promise<void> {
  await appendAuditEvent(tx, deps, {
    entry: {
      event: "installation.restored",
      subject: { type: "organization", id: organizationId },
      workspaceId: null,
      before: null,
      after: { backup_made_at: backupMadeAt?.toISOString() ?? null, keys, ...counts },
    },
    organizationId,
    actor,
    origin: {
      requestId: newId(idPrefixes.request, deps.nowMs(), deps.randomBytes),
      ipAddress: null,
      userAgent: null,
    },
  });
}
