import { idPrefixes } from "@bursar/contract/ids.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { newId } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { listAuditHeads, listChain, lockAuditHead } from "./audit.sql.ts";
import { type AuditDeps, appendAfterHead } from "./audited-transaction.ts";
import { type ChainPlace, hashUnkeyedEvent, unkeyedGenesisHash } from "./hash-event.ts";
import { isSameBytes } from "./sign.ts";

const PAGE = 500;

/**
 * Adds the first signed event, `audit_log.keyed`, to each chain of a database that is older than the audit key. The event
 * is chained to the previous one, so it protects the older events from now on, and records whether their plain hashes were
 * correct. A chain with an anchor on this node was signed before. There an unsigned end is a forgery, which the
 * verification reports.
 */
export async function beginKeyedChains(
  deps: AuditDeps & { logger: Logger; findAnchor: (organizationId: string) => ChainPlace | null },
): Promise<void> {
  for (const { organizationId, mac } of await listAuditHeads(deps.database)) {
    if (mac !== null || deps.findAnchor(organizationId) !== null) continue;
    const added = await inTransaction(deps.database, async (tx) => {
      const { now, ...head } = await lockAuditHead(tx, organizationId);
      if (head.mac !== null) return null; // another node was first
      const firstBroken = await findFirstBrokenEvent(tx, organizationId);
      return appendAfterHead(tx, deps, {
        head: { ...head, keyedFrom: head.seq + 1n, hasSignedRows: false },
        now,
        entry: {
          event: "audit_log.keyed",
          subject: { type: "organization", id: organizationId },
          workspaceId: null,
          before: { events: head.seq.toString(), first_broken: firstBroken },
          after: null,
        },
        organizationId,
        actor: { type: "system", id: "upgrade" },
        origin: {
          requestId: newId(idPrefixes.request, now.getTime(), deps.randomBytes),
          ipAddress: null,
          userAgent: null,
        },
      });
    });
    if (added === null) continue;
    deps.onAudited(added);
    deps.logger.info(
      { organizationId, seq: String(added.seq) },
      "the audit log is signed from now on",
    );
  }
}

/** Returns the number of the first event that differs from its plain hash, as text, or null. */
async function findFirstBrokenEvent(
  tx: Parameters<typeof listChain>[0],
  organizationId: string,
): Promise<string | null> {
  let place: ChainPlace = { seq: 0n, hash: unkeyedGenesisHash(organizationId) };
  for (;;) {
    const events = await listChain(tx, { organizationId, afterSeq: place.seq, limit: PAGE });
    for (const { hash, previousHash, ...content } of events) {
      const isUnchanged =
        content.seq === place.seq + 1n &&
        isSameBytes(previousHash, place.hash) &&
        isSameBytes(hash, hashUnkeyedEvent(place.hash, content));
      if (!isUnchanged) return (place.seq + 1n).toString();
      place = { seq: content.seq, hash };
    }
    if (events.length < PAGE) return null;
  }
}
