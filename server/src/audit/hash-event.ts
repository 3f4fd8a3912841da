import { createHash } from "node:crypto";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";
import { isSameBytes, sign } from "./sign.ts";

/** Content of an event that the chain covers: all stored fields except the hashes. */
export interface ChainedEvent {
  id: string;
  organizationId: string;
  seq: bigint;
  event: string;
  actorType: string;
  actorId: string;
  /** Name of the actor at the time of the event. Null: none. */
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

/** Position in a chain: the number of an event and its hash. Position 0 is before the first event. */
export interface ChainPlace {
  seq: bigint;
  hash: Uint8Array;
}

/**
 * Returns the HMAC of the previous event's hash and this event. A changed, removed or inserted event breaks all later
 * hashes. Without the key no other chain can be created.
 */
export function hashEvent(key: Buffer, previousHash: Uint8Array, event: ChainedEvent): Buffer {
  return sign(key, "event", { previous: toHex(previousHash), ...toText(event) });
}

/** Hash that the first event of an organization is chained to. */
export function genesisHash(key: Buffer, organizationId: string): Buffer {
  return sign(key, "chain", { organizationId });
}

/** Plain hash of events before the chain's `keyedFrom`. They are older than the audit key. */
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

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Stored end of an organization's chain. */
export interface AuditHead extends ChainPlace {
  organizationId: string;
  /** Number of the first event that is chained with the key. Null: none yet. */
  keyedFrom: bigint | null;
  /** Age at which events are deleted, days. Null: never. */
  retentionDays: number | null;
  mac: Uint8Array | null;
}

/** A head whose signature is checked, or that is about to be signed. */
export interface SignedHead extends Omit<AuditHead, "mac"> {
  /** Keys, roles and sessions need a MAC since an earlier event. Only the signature has this fact. */
  hasSignedRows: boolean;
}

/** Signs a head. Without the key the end of a chain and its retention cannot be changed. */
export function signHead(key: Buffer, head: SignedHead): Buffer {
  return sign(key, "head", {
    organizationId: head.organizationId,
    seq: head.seq.toString(),
    hash: toHex(head.hash),
    keyedFrom: head.keyedFrom?.toString() ?? null,
    retentionDays: head.retentionDays,
    ...(head.hasSignedRows && { hasSignedRows: true }),
  });
}

/** Returns the head with the facts of its signature. Null: this installation did not sign it. */
export function openHead(key: Buffer, { mac, ...head }: AuditHead): SignedHead | null {
  if (mac === null) return null;
  for (const hasSignedRows of [true, false]) {
    const signed = { ...head, hasSignedRows };
    if (isSameBytes(mac, signHead(key, signed))) return signed;
  }
  return null;
}

/** Start of a chain whose older events were deleted. `seq` is the last deleted event. */
export interface Checkpoint extends ChainPlace {
  organizationId: string;
  /** Number of events that were deleted with it. */
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
