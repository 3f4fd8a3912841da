import type { Database, Tx } from "#src/db/pool.ts";
import { findAuditHead, listChain, type StoredEvent } from "./audit.sql.ts";
import { genesisHash, hashEvent } from "./hash-event.ts";

const PAGE = 500;

export type ChainState =
  | { kind: "intact"; events: number }
  | { kind: "broken"; seq: bigint; reason: string };

/** Reads the organization's whole chain and computes every hash again. Writes that commit meanwhile do not disturb it. */
export async function verifyChain(database: Database, organizationId: string): Promise<ChainState> {
  return database
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute((tx) => verifyIn(tx, organizationId));
}

async function verifyIn(tx: Tx, organizationId: string): Promise<ChainState> {
  let seq = 0n;
  let hash: Uint8Array = genesisHash(organizationId);
  for (;;) {
    const events = await listChain(tx, { organizationId, afterSeq: seq, limit: PAGE });
    for (const event of events) {
      const reason = whatIsWrong(event, seq + 1n, hash);
      if (reason !== null) return { kind: "broken", seq: event.seq, reason };
      seq = event.seq;
      hash = event.hash;
    }
    if (events.length < PAGE) break;
  }
  const head = await findAuditHead(tx, organizationId);
  if (head === null) return { kind: "broken", seq, reason: "the end of the chain is missing" };
  if (head.seq !== seq || !isEqual(head.hash, hash)) {
    return { kind: "broken", seq, reason: "the last event is not the one the chain ended with" };
  }
  return { kind: "intact", events: Number(seq) };
}

function whatIsWrong(
  event: StoredEvent,
  expectedSeq: bigint,
  previousHash: Uint8Array,
): string | null {
  const { hash, previousHash: claimed, ...content } = event;
  if (event.seq !== expectedSeq) return `event ${expectedSeq} is missing`;
  if (!isEqual(claimed, previousHash)) return "it does not follow the event before it";
  return isEqual(hash, hashEvent(previousHash, content)) ? null : "its content was changed";
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
