import { createHash } from "node:crypto";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";
import { sign } from "./sign.ts";

/** An event as it is chained: everything that is stored of it but the hashes. */
export interface ChainedEvent {
  id: string;
  organizationId: string;
  seq: bigint;
  event: string;
  actorType: string;
  actorId: string;
  /** What the actor was called at the time; null for one without a name. */
  actorName: string | null;
  actorEmail: string | null;
  subjectType: string;
  subjectId: string;
  workspaceId: string | null;
  before: JsonValue;
  after: JsonValue;
  requestId: string;
  ipAddress: string | null;
  userAgent: string | null;
  /** Whole milliseconds. */
  createdAt: Date;
}

/** A place in a chain: the number of an event and its hash. Place 0 is before the first event. */
export interface ChainPlace {
  seq: bigint;
  hash: Uint8Array;
}

/**
 * HMAC over the previous event's hash and this event. Changing, removing or inserting an event breaks all that follow,
 * and without the key no other chain can be made.
 */
export function hashEvent(key: Buffer, previousHash: Uint8Array, event: ChainedEvent): Buffer {
  return sign(key, "event", { previous: toHex(previousHash), ...toText(event) });
}

/** What the first event of an organization is chained to. */
export function genesisHash(key: Buffer, organizationId: string): Buffer {
  return sign(key, "chain", { organizationId });
}

/** As `hashEvent` was before there was a key. Only events before a chain's `keyedFrom` are read by it. */
export function hashUnkeyedEvent(previousHash: Uint8Array, event: ChainedEvent): Buffer {
  const { actorName, actorEmail, ...rest } = event;
  return createHash("sha256")
    .update(previousHash)
    .update(canonicalJson(toText(rest)))
    .digest();
}

export function unkeyedGenesisHash(organizationId: string): Buffer {
  return createHash("sha256").update(`bursar audit chain v1 ${organizationId}`).digest();
}

function toText<Event extends { seq: bigint; createdAt: Date }>(event: Event) {
  return { ...event, seq: event.seq.toString(), createdAt: event.createdAt.toISOString() };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The end of an organization's chain, as its row has it. */
export interface AuditHead extends ChainPlace {
  organizationId: string;
  /** The first event that is chained with the key, null for a chain that has none yet. */
  keyedFrom: bigint | null;
  /** Days after which events are deleted; null keeps them for ever. */
  retentionDays: number | null;
  mac: Uint8Array | null;
}

/** The signature that belongs to a head: nobody without the key can move the end of a chain, or its retention. */
export function signHead(key: Buffer, head: Omit<AuditHead, "mac">): Buffer {
  return sign(key, "head", {
    organizationId: head.organizationId,
    seq: head.seq.toString(),
    hash: toHex(head.hash),
    keyedFrom: head.keyedFrom?.toString() ?? null,
    retentionDays: head.retentionDays,
  });
}

/** Where a chain begins whose older events have been deleted: `seq` is the last of them. */
export interface Checkpoint extends ChainPlace {
  organizationId: string;
  /** How many events went with it. */
  events: bigint;
  createdAt: Date;
}

export function signCheckpoint(key: Buffer, checkpoint: Checkpoint): Buffer {
  return sign(key, "checkpoint", {
    ...toText(checkpoint),
    hash: toHex(checkpoint.hash),
    events: checkpoint.events.toString(),
  });
}
