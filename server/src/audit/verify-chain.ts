import type { Database, Tx } from "#src/db/pool.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import { findAuditHead, findCheckpoint, listChain, type StoredEvent } from "./audit.sql.ts";
import {
  type AuditHead,
  type ChainPlace,
  genesisHash,
  hashEvent,
  hashUnkeyedEvent,
  signCheckpoint,
  signHead,
  unkeyedGenesisHash,
} from "./hash-event.ts";
import { isSameBytes } from "./sign.ts";

/** Of the process's time, a page is about 5 ms: requests are served in between. */
const PAGE = 200;

export interface VerifyDeps {
  database: Database;
  auditKey: Buffer;
}

export interface Verified extends ChainPlace {
  /** Time of the event at this place; null where no event is left. */
  at: Date | null;
}

export interface BrokenChain {
  kind: "broken";
  /** The first event that is not as it was written, or is not there. */
  seq: bigint;
  /** Its id, where there is one with this number. */
  eventId: string | null;
  reason: string;
}

export type ChainState = { kind: "intact"; events: number } | BrokenChain;

/**
 * Reads the organization's whole chain and computes every hash again. Writes that commit meanwhile do not disturb it.
 * `anchor` is a place that this chain is known to have had: it must have it still.
 */
export async function verifyChain(
  deps: VerifyDeps,
  organizationId: string,
  anchor: ChainPlace | null = null,
): Promise<ChainState> {
  const step = await verifyStep(deps, { organizationId, anchor, from: null, maxEvents: Infinity });
  return step.kind === "broken" ? step : { kind: "intact", events: step.events };
}

export interface StepRequest {
  organizationId: string;
  anchor: ChainPlace | null;
  /** Where an earlier step came to, or null for the beginning. */
  from: Verified | null;
  maxEvents: number;
}

export type Step =
  | { kind: "intact"; verified: Verified; events: number; isAtEnd: boolean; head: AuditHead }
  | BrokenChain;

/** As `verifyChain`, of at most `maxEvents` events after `from`. */
export function verifyStep(deps: VerifyDeps, request: StepRequest): Promise<Step> {
  return inSnapshot(deps.database, (tx) => verifyIn(tx, deps.auditKey, request));
}

async function verifyIn(tx: Tx, key: Buffer, request: StepRequest): Promise<Step> {
  const { organizationId, anchor } = request;
  const head = await findAuditHead(tx, organizationId);
  if (head === null) return broken(1n, "the end of the log is missing");
  const { mac, ...signed } = head;
  if (mac === null || !isSameBytes(mac, signHead(key, signed))) {
    return broken(head.seq, "the end of the log is not signed by this installation");
  }
  const start = await findStart(tx, key, head);
  if ("kind" in start) return start;
  const from = request.from !== null && request.from.seq > start.seq ? request.from : start;
  if (anchor !== null && anchor.seq > head.seq) return rolledBack(head, anchor);
  const walked = await walk(tx, { key, head, from, anchor, maxEvents: request.maxEvents });
  if (walked.kind === "broken" || !walked.isAtEnd) return walked;
  const { seq, hash } = walked.verified;
  if (seq < head.seq) return broken(seq + 1n, `event ${seq + 1n} is missing`);
  // Events behind the end and an end of another chain come to the same: the last event is not the one that was signed.
  return seq === head.seq && isSameBytes(hash, head.hash)
    ? walked
    : broken(seq, "the last event is not the one the log ended with");
}

function rolledBack(head: AuditHead, anchor: ChainPlace): BrokenChain {
  return broken(
    head.seq + 1n,
    `the log ends with event ${head.seq}, and this node has seen event ${anchor.seq}: later events were removed, or an ` +
      "older copy of the database was restored",
  );
}

/** The place before the oldest event that is left. */
async function findStart(tx: Tx, key: Buffer, head: AuditHead): Promise<Verified | BrokenChain> {
  const found = await findCheckpoint(tx, head.organizationId);
  if (found === null) {
    const isKeyed = head.keyedFrom === 1n;
    const { organizationId } = head;
    const hash = isKeyed ? genesisHash(key, organizationId) : unkeyedGenesisHash(organizationId);
    return { seq: 0n, hash, at: null };
  }
  const { mac, ...checkpoint } = found;
  if (!isSameBytes(mac, signCheckpoint(key, checkpoint))) {
    const { seq } = checkpoint;
    return broken(seq, "the checkpoint of deleted events is not signed by this installation");
  }
  return { seq: checkpoint.seq, hash: checkpoint.hash, at: null };
}

interface Walk {
  key: Buffer;
  head: AuditHead;
  from: Verified;
  anchor: ChainPlace | null;
  maxEvents: number;
}

async function walk(tx: Tx, of: Walk): Promise<Step> {
  const { organizationId } = of.head;
  let verified = of.from;
  let count = 0;
  while (count < of.maxEvents) {
    const events = await listChain(tx, { organizationId, afterSeq: verified.seq, limit: PAGE });
    for (const event of events) {
      const expected = verified.seq + 1n;
      if (event.seq !== expected) return broken(expected, `event ${expected} is missing`);
      const reason = whatIsWrong(of, event, verified.hash);
      if (reason !== null) return broken(event.seq, reason, event.id);
      verified = { seq: event.seq, hash: event.hash, at: event.createdAt };
    }
    count += events.length;
    if (events.length < PAGE) {
      return { kind: "intact", verified, events: count, isAtEnd: true, head: of.head };
    }
  }
  return { kind: "intact", verified, events: count, isAtEnd: false, head: of.head };
}

function whatIsWrong(of: Walk, event: StoredEvent, previous: Uint8Array): string | null {
  const { hash, previousHash: claimed, ...content } = event;
  if (!isSameBytes(claimed, previous)) return "it does not follow the event before it";
  const isKeyed = event.seq >= (of.head.keyedFrom ?? 0n);
  const computed = isKeyed
    ? hashEvent(of.key, previous, content)
    : hashUnkeyedEvent(previous, content);
  // The plain hash does not cover the names.
  const hasName = !isKeyed && (event.actorName !== null || event.actorEmail !== null);
  if (hasName || !isSameBytes(hash, computed)) return "its content was changed";
  if (of.anchor?.seq === event.seq && !isSameBytes(hash, of.anchor.hash)) {
    return "it is not the event that this node has seen with this number";
  }
  return null;
}

function broken(seq: bigint, reason: string, eventId: string | null = null): BrokenChain {
  return { kind: "broken", seq, eventId, reason };
}
