import { idPrefixes } from "@bursar/contract/ids.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { newId } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { listAuditHeads, listChain, lockAuditHead } from "./audit.sql.ts";
import { type AuditDeps, append } from "./audited-transaction.ts";
import { type ChainPlace, hashUnkeyedEvent, unkeyedGenesisHash } from "./hash-event.ts";
import { isSameBytes } from "./sign.ts";

const PAGE = 500;

/**
 * Gives the chains of a database that is older than the audit key their first signed event, `audit_log.keyed`. It is
 * chained to the last event before it, so those are covered from now on; what was done to them earlier shows only as far
 * as their plain hashes do, and the event says whether they were right. A chain that this node has an anchor of has been
 * signed before: an unsigned end is a forgery there, and is left for `verify` to find.
 */
export async function beginKeyedChains(
  deps: AuditDeps & { logger: Logger; anchorOf: (organizationId: string) => ChainPlace | null },
): Promise<void> {
  for (const { organizationId, mac } of await listAuditHeads(deps.database)) {
    if (mac !== null || deps.anchorOf(organizationId) !== null) continue;
    const added = await inTransaction(deps.database, async (tx) => {
      const { now, ...head } = await lockAuditHead(tx, organizationId);
      if (head.mac !== null) return null; // another node was first
      const firstBroken = await findBrokenUnkeyed(tx, organizationId);
      return append(tx, deps, {
        head: { ...head, keyedFrom: head.seq + 1n },
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

/** Number of the first event that is not as its plain hash says, as text, or null. */
async function findBrokenUnkeyed(
  tx: Parameters<typeof listChain>[0],
  organizationId: string,
): Promise<string | null> {
  let place: ChainPlace = { seq: 0n, hash: unkeyedGenesisHash(organizationId) };
  for (;;) {
    const events = await listChain(tx, { organizationId, afterSeq: place.seq, limit: PAGE });
    for (const { hash, previousHash, ...content } of events) {
      const isRight =
        content.seq === place.seq + 1n &&
        isSameBytes(previousHash, place.hash) &&
        isSameBytes(hash, hashUnkeyedEvent(place.hash, content));
      if (!isRight) return (place.seq + 1n).toString();
      place = { seq: content.seq, hash };
    }
    if (events.length < PAGE) return null;
  }
}
