import type { Logger } from "#src/lib/logger.ts";
import { hasUnsigningNode, markRowsSigned } from "#src/signed-rows/changed-rows.sql.ts";
import { inSignedTransaction, signAllRows } from "#src/signed-rows/signed-transaction.ts";
import { listAuditHeads, lockAuditHead } from "./audit.sql.ts";
import { type AddedEvent, type AuditDeps, appendAfterHead } from "./audited-transaction.ts";
import { openHead } from "./hash-event.ts";
import { makeSystemOrigin } from "./prune.ts";
import { verifyChain } from "./verify-chain.ts";
import type { Witness } from "./witness.ts";

export interface SignedRowsDeps extends AuditDeps {
  witness: Pick<Witness, "findAnchor" | "hasSeenSignedRows" | "observeSignedRows">;
  logger: Logger;
}

/**
 * Refuses unsigned keys, roles and sessions from now on, if all rows are signed. The signed end of each log has that fact.
 * An upgraded database gets it once: when no older node is left, all rows are signed with the event `rows.signed`. Call it
 * again until `deps.rows.isRequired`.
 */
export async function beginSignedRows(deps: SignedRowsDeps): Promise<void> {
  if (deps.rows.isRequired) return;
  const heads = await listAuditHeads(deps.database);
  const opened = heads.map((head) => ({ head, signed: openHead(deps.auditKey, head) }));
  const older = opened.filter(({ signed }) => signed !== null && !signed.hasSignedRows);
  if (
    older.length > 0 &&
    (await isFirstTime(
      deps,
      heads.map((head) => head.organizationId),
    ))
  ) {
    if (await hasUnsigningNode(deps.database)) return;
    await signAll(deps);
  }
  await markRowsSigned(deps.database);
  deps.rows.require();
  deps.witness.observeSignedRows();
}

/** `beginSignedRows` for a command beside the server, which signs nothing for the first time. */
export async function requireSignedRows(
  deps: Pick<AuditDeps, "database" | "auditKey" | "rows">,
): Promise<void> {
  const heads = await listAuditHeads(deps.database);
  if (heads.every((head) => openHead(deps.auditKey, head)?.hasSignedRows !== false))
    deps.rows.require();
}

/**
 * False if this node has seen signed rows, and no failover explains that the log lacks them. Then an older end of the log was
 * put back, and a new signature would make forged rows genuine.
 */
async function isFirstTime(
  deps: SignedRowsDeps,
  organizationIds: readonly string[],
): Promise<boolean> {
  if (!deps.witness.hasSeenSignedRows()) return true;
  for (const organizationId of organizationIds) {
    const anchor = deps.witness.findAnchor(organizationId);
    const state = await verifyChain(deps, organizationId, anchor);
    if (state.kind === "broken") {
      deps.logger.error(
        { organizationId, seq: String(state.seq), reason: state.reason },
        "an older end of the audit log was put back: unsigned keys, roles and sessions stay refused",
      );
      return false;
    }
  }
  return true;
}

/** Signs all rows, and records it in the log of each organization. */
async function signAll(deps: SignedRowsDeps): Promise<void> {
  await deps.beforeAppend();
  const added = await inSignedTransaction(
    deps,
    async (tx) => {
      const events: AddedEvent[] = [];
      const rows = await signAllRows(tx, deps.rows);
      for (const { organizationId } of await listAuditHeads(tx)) {
        const { now, ...stored } = await lockAuditHead(tx, organizationId);
        const head = openHead(deps.auditKey, stored);
        // Another node was first, or the end is forged, which the verification reports.
        if (head === null || head.hasSignedRows) continue;
        const event = await appendAfterHead(tx, deps, {
          head: { ...head, hasSignedRows: true },
          now,
          organizationId,
          actor: { type: "system", id: "upgrade" },
          origin: makeSystemOrigin(deps, now),
          entry: {
            event: "rows.signed",
            subject: { type: "organization", id: organizationId },
            workspaceId: null,
            before: null,
            after: { rows },
          },
        });
        events.push(event);
      }
      return events;
    },
    { deadlockRetries: 3 },
  );
  for (const each of added) deps.onAudited(each);
  if (added.length > 0) deps.logger.info("keys, roles and sessions are signed from now on");
}
