import type { Database, Tx } from "#src/db/pool.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import { findAuditHead, findCheckpoint, listChain, type StoredEvent } from "./audit.sql.ts";
import {
  type AuditHead,
  type ChainPlace,
  genesisHash,
  hashEvent,
  hashUnkeyedEvent,
  openHead,
  signCheckpoint,
  unkeyedGenesisHash,
} from "./hash-event.ts";
import { findFailover, findIncarnation } from "./recorded-failover.sql.ts";
import { type ChainKeys, findKeyAt, listCheckpointKeys, readChainKeys } from "./retired-keys.ts";
import { isSameBytes } from "./sign.ts";
import type { Anchor } from "./witness.ts";

/** Events of a page, which blocks the process for about 5 ms. Requests are served between pages. */
const PAGE = 200;

export interface VerifyDeps {
  database: Database;
  auditKey: Buffer;
}

export interface Verified extends ChainPlace {
  /** Incarnation of the newest failover that the chain records up to this position. 0: none. */
  incarnation: bigint;
  /** Time of the event at this position. Null: no event is left. */
  at: Date | null;
}

export interface BrokenChain {
  kind: "broken";
  /** Number of the first changed or missing event. */
  seq: bigint;
  /** Id of the event with this number. Null: missing. */
  eventId: string | null;
  reason: string;
}

export type ChainState = { kind: "intact"; events: number } | BrokenChain;

/**
 * Reads the organization's whole chain and computes every hash again. Concurrent writes do not affect it. `anchor` is a
 * position that this node has seen, so the chain must contain it, unless it records a failover that lost it.
 */
export async function verifyChain(
  deps: VerifyDeps,
  organizationId: string,
  anchor: Anchor | null = null,
): Promise<ChainState> {
  const step = await verifyStep(deps, { organizationId, anchor, from: null, maxEvents: Infinity });
  return step.kind === "broken" ? step : { kind: "intact", events: step.events };
}

export interface StepRequest {
  organizationId: string;
  anchor: Anchor | null;
  /** End of the previous step. Null: the start of the chain. */
  from: Verified | null;
  maxEvents: number;
}

export type Step =
  | { kind: "intact"; verified: Verified; events: number; isAtEnd: boolean; head: AuditHead }
  | BrokenChain;

/** Verifies at most `maxEvents` events after `from`. */
export function verifyStep(deps: VerifyDeps, request: StepRequest): Promise<Step> {
  return inSnapshot(deps.database, (tx) => verifyInTransaction(tx, deps.auditKey, request));
}

async function verifyInTransaction(tx: Tx, key: Buffer, request: StepRequest): Promise<Step> {
  const { organizationId, anchor } = request;
  const head = await findAuditHead(tx, organizationId);
  if (head === null) return reportBroken(1n, "the end of the log is missing");
  if (openHead(key, head) === null) {
    return reportBroken(head.seq, "the end of the log is not signed by this installation");
  }
  const keys = await readChainKeys(tx, key, organizationId);
  if (keys === null) {
    return reportBroken(1n, "an earlier key of the log was not stored by this installation");
  }
  const start = await findStart(tx, keys, head);
  if ("kind" in start) return start;
  const failover = anchor && (await findExplanation(tx, anchor, { organizationId, start }));
  const expected = failover === null ? anchor : null;
  const isReplaced =
    request.from !== null && (await isInLostPart(tx, organizationId, request.from));
  const isAhead = request.from !== null && request.from.seq > start.seq;
  const chosen = request.from !== null && isAhead && !isReplaced ? request.from : start;
  // The retention can have deleted the failover that the anchor knows.
  const from = { ...chosen, incarnation: later(chosen.incarnation, expected?.incarnation ?? 0n) };
  if (expected !== null && expected.seq > head.seq) return reportRollback(head, expected);
  const { maxEvents } = request;
  const step = await verifyEvents(tx, { keys, head, from, anchor: expected, maxEvents });
  if (step.kind === "broken" || !step.isAtEnd) return step;
  const { seq, hash } = step.verified;
  if (seq < head.seq) return reportBroken(seq + 1n, `event ${seq + 1n} is missing`);
  // Events after the end, or the end of another chain: in both cases the last event is not the signed one.
  return seq === head.seq && isSameBytes(hash, head.hash)
    ? step
    : reportBroken(seq, "the last event is not the signed end of the log");
}

/**
 * Returns the recorded failover that replaced the anchor's event, or null. Only nodes can sign one, and they do so only
 * after another server has replaced the database. A failover that the anchor knows explains nothing, so that the owner of
 * the database cannot use an old one again. The caller verifies the event's signature with the chain.
 */
async function findExplanation(
  tx: Tx,
  anchor: Anchor,
  { organizationId, start }: { organizationId: string; start: Verified },
) {
  const found = await findFailover(tx, { organizationId, throughSeq: anchor.seq });
  const isNew = found !== null && found.incarnation > anchor.incarnation;
  // The verification begins after `start`, so an event before it can be forged.
  return isNew && found.seq > start.seq ? found : null;
}

/** True if the chain records a failover before this position that was verified without it. */
async function isInLostPart(tx: Tx, organizationId: string, from: Verified): Promise<boolean> {
  const found = await findFailover(tx, { organizationId, throughSeq: from.seq });
  return found !== null && found.incarnation > from.incarnation;
}

function later(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function reportRollback(head: AuditHead, anchor: ChainPlace): BrokenChain {
  return reportBroken(
    head.seq + 1n,
    `the log ends with event ${head.seq}, and this node has seen event ${anchor.seq}: later events were removed, or an ` +
      "older copy of the database was restored",
  );
}

/** Returns the position before the oldest event that is left. */
async function findStart(
  tx: Tx,
  keys: ChainKeys,
  head: AuditHead,
): Promise<Verified | BrokenChain> {
  const found = await findCheckpoint(tx, head.organizationId);
  if (found === null) {
    const isKeyed = head.keyedFrom === 1n;
    const { organizationId } = head;
    const hash = isKeyed
      ? genesisHash(findKeyAt(keys, 0n), organizationId)
      : unkeyedGenesisHash(organizationId);
    return { seq: 0n, hash, at: null, incarnation: 0n };
  }
  const { mac, ...checkpoint } = found;
  const { seq } = checkpoint;
  const signers = listCheckpointKeys(keys, seq);
  if (!signers.some((key) => isSameBytes(mac, signCheckpoint(key, checkpoint)))) {
    return reportBroken(seq, "the checkpoint of deleted events is not signed by this installation");
  }
  return { seq, hash: checkpoint.hash, at: null, incarnation: 0n };
}

interface EventCheck {
  keys: ChainKeys;
  head: AuditHead;
  from: Verified;
  anchor: Anchor | null;
  maxEvents: number;
}

async function verifyEvents(tx: Tx, check: EventCheck): Promise<Step> {
  const { organizationId } = check.head;
  let verified = check.from;
  let count = 0;
  while (count < check.maxEvents) {
    const events = await listChain(tx, { organizationId, afterSeq: verified.seq, limit: PAGE });
    for (const event of events) {
      const expected = verified.seq + 1n;
      if (event.seq !== expected) return reportBroken(expected, `event ${expected} is missing`);
      const reason = findFault(check, event, verified.hash);
      if (reason !== null) return reportBroken(event.seq, reason, event.id);
      const incarnation = findIncarnation(event) ?? verified.incarnation;
      verified = { seq: event.seq, hash: event.hash, at: event.createdAt, incarnation };
    }
    count += events.length;
    if (events.length < PAGE) {
      return { kind: "intact", verified, events: count, isAtEnd: true, head: check.head };
    }
  }
  return { kind: "intact", verified, events: count, isAtEnd: false, head: check.head };
}

function findFault(check: EventCheck, event: StoredEvent, previous: Uint8Array): string | null {
  const { hash, previousHash: claimed, ...content } = event;
  if (!isSameBytes(claimed, previous))
    return "its previous hash does not match the event before it";
  const isKeyed = event.seq >= (check.head.keyedFrom ?? 0n);
  const computed = isKeyed
    ? hashEvent(findKeyAt(check.keys, event.seq), previous, content)
    : hashUnkeyedEvent(previous, content);
  // Plain hashes do not cover the names.
  const hasName = !isKeyed && (event.actorName !== null || event.actorEmail !== null);
  if (hasName || !isSameBytes(hash, computed)) return "its content was changed";
  if (check.anchor?.seq === event.seq && !isSameBytes(hash, check.anchor.hash)) {
    return "this node has seen another event with this number";
  }
  return null;
}

function reportBroken(seq: bigint, reason: string, eventId: string | null = null): BrokenChain {
  return { kind: "broken", seq, eventId, reason };
}
