import { createHash } from "node:crypto";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";

/** An event as it is chained: everything that is stored of it but the hashes. */
export interface ChainedEvent {
  id: string;
  organizationId: string;
  seq: bigint;
  event: string;
  actorType: string;
  actorId: string;
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

/** SHA-256 over the previous event's hash and this event. Changing, removing or inserting an event breaks all that follow. */
export function hashEvent(previousHash: Uint8Array, event: ChainedEvent): Buffer {
  const { seq, createdAt, ...rest } = event;
  const text = canonicalJson({
    ...rest,
    seq: seq.toString(),
    createdAt: createdAt.toISOString(),
  });
  return createHash("sha256").update(previousHash).update(text).digest();
}

/** What the first event of an organization is chained to. */
export function genesisHash(organizationId: string): Buffer {
  return createHash("sha256").update(`bursar audit chain v1 ${organizationId}`).digest();
}
