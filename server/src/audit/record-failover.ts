import { idPrefixes } from "@bursar/contract/ids.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { newId } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { lockAuditHead } from "./audit.sql.ts";
import { type AuditDeps, appendAfterHead, checkHead } from "./audited-transaction.ts";
import type { AuditHead } from "./hash-event.ts";
import {
  FAILED_OVER,
  findFailover,
  type LostChange,
  type RecordedFailover,
} from "./recorded-failover.sql.ts";
import { isSuccessor, type ServerIdentity } from "./server-identity.sql.ts";
import type { Anchor, Witness } from "./witness.ts";

// A promoted standby can lack the newest events of a chain. The first event on it says so, so that the witness of each node
// accepts the shorter chain. A node signs this event only if PostgreSQL itself reports another server than the node has
// seen. An entry in the table `incarnation` is no evidence, because the owner of the database can write it.

export interface FailoverRecorderDeps extends AuditDeps {
  witness: Pick<Witness, "findAnchor" | "confirm">;
  logger: Logger;
}

export interface FailoverToRecord {
  organizationId: string;
  /** Server that PostgreSQL reports now. */
  server: ServerIdentity;
  /** Current incarnation of the database. */
  incarnation: bigint;
  /** Changes that this node remembers and the database lacks. */
  lostChanges: readonly LostChange[];
}

/** Maximum changes in one event. */
const MAX_LISTED = 100;

/**
 * Adds the event about a failover to the organization's chain. Adds nothing if another node has added it, unless this node
 * remembers further lost changes. Returns the newest event about this failover. Null: this node has no evidence of one.
 */
export async function recordFailover(
  deps: FailoverRecorderDeps,
  of: FailoverToRecord,
): Promise<{ lostEvents: bigint } | null> {
  const { organizationId, server } = of;
  const anchor = deps.witness.findAnchor(organizationId);
  if (anchor?.server == null || !isSuccessor(anchor.server, server)) return null;
  const seen = { ...anchor, server: anchor.server };
  const { added, incarnation, isFirst, lostEvents } = await inTransaction(
    deps.database,
    async (tx) => {
      const { now, ...stored } = await lockAuditHead(tx, organizationId);
      const head = checkHead(deps.auditKey, stored);
      const newest = await findFailover(tx, { organizationId, throughSeq: null });
      const known = newest !== null && isAbout(newest, server, anchor) ? newest : null;
      const listed = new Set(known?.after.lost_changes.map((change) => change.audit_event_id));
      const unlisted = of.lostChanges.filter((change) => !listed.has(change.audit_event_id));
      const lost = countLost(seen, head, known);
      if (known !== null && unlisted.length === 0 && lost <= BigInt(known.after.lost_events)) {
        const lostEvents = BigInt(known.after.lost_events);
        return { added: null, incarnation: known.incarnation, isFirst: false, lostEvents };
      }
      const event = makeEvent({ of, seen, head, known, lost, unlisted });
      const origin = {
        requestId: newId(idPrefixes.request, now.getTime(), deps.randomBytes),
        ipAddress: null,
        userAgent: null,
      };
      const actor = { type: "system", id: "failover" };
      const written = await appendAfterHead(tx, deps, {
        ...{ head, now, organizationId, actor, origin, entry: event.entry },
      });
      const { incarnation } = event;
      return { added: written, incarnation, isFirst: known === null, lostEvents: lost };
    },
  );
  if (added !== null) {
    // The first event follows the end that this node has locked. A later one needs the verification of the chain.
    if (isFirst) deps.witness.confirm(organizationId, { ...added, incarnation });
    deps.onAudited(added);
  }
  return { lostEvents };
}

function makeEvent(from: {
  of: FailoverToRecord;
  seen: Anchor & { server: ServerIdentity };
  head: Omit<AuditHead, "mac">;
  known: RecordedFailover | null;
  lost: bigint;
  unlisted: readonly LostChange[];
}) {
  const { of, seen, head, known, lost, unlisted } = from;
  // Greater than the number of each recorded failover that this node knows, because the witness orders them by it.
  const next = of.incarnation > seen.incarnation ? of.incarnation : seen.incarnation + 1n;
  const incarnation = known?.incarnation ?? next;
  return {
    incarnation,
    entry: {
      event: FAILED_OVER,
      subject: { type: "organization", id: of.organizationId },
      workspaceId: null,
      before: { events: String(seen.seq), ...toWireServer(seen.server) },
      after: {
        events: known?.after.events ?? String(head.seq),
        lost_events: String(lost),
        lost_changes: unlisted.slice(0, MAX_LISTED),
        ...toWireServer(of.server),
        incarnation: String(incarnation),
      },
    },
  } as const;
}

/** True if the event records the change to this server, and the anchor does not know it. */
function isAbout(found: RecordedFailover, server: ServerIdentity, anchor: Anchor): boolean {
  const { system_identifier: system, timeline } = found.after;
  return (
    found.incarnation > anchor.incarnation &&
    system === server.systemIdentifier &&
    timeline === String(server.timeline)
  );
}

/** Returns the number of events that this node has seen and the promoted database lacks. */
function countLost(
  seen: Anchor,
  head: Omit<AuditHead, "mac">,
  known: RecordedFailover | null,
): bigint {
  const kept = known === null ? head.seq : BigInt(known.after.events);
  return seen.seq > kept ? seen.seq - kept : 0n;
}

function toWireServer({ systemIdentifier, timeline }: ServerIdentity) {
  return { system_identifier: systemIdentifier, timeline: String(timeline) };
}
