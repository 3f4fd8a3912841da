import type { Database, Tx } from "#src/db/pool.ts";
import { seal, unseal } from "#src/lib/seal.ts";
import { listRetiredKeys, type RetiredKeyRow, replaceRetiredKeys } from "./retired-keys.sql.ts";
import { deriveRetiredKeysKey } from "./sign.ts";

// A rotation of BURSAR_SECRET changes the key of the log. Earlier events keep their HMACs, so copies of them stay
// comparable. The first event with the new key covers the last HMAC of the old one. So the old key, if it leaked, cannot
// change an earlier event.

/** Earlier key of a log. */
export interface RetiredKey {
  key: Buffer;
  /** Number of the last event with this key. */
  throughSeq: bigint;
  /** Number of the newest checkpoint at the rotation. Older keys sign no other checkpoint. Null: none. */
  checkpointSeq: bigint | null;
}

export interface ChainKeys {
  current: Buffer;
  /** Oldest first. */
  retired: readonly RetiredKey[];
}

interface SealedKey {
  key: string;
  checkpoint_seq: string | null;
}

/** Reads the keys of a log. Null: this installation did not seal one of them. */
export async function readChainKeys(
  db: Database | Tx,
  current: Buffer,
  organizationId: string,
): Promise<ChainKeys | null> {
  const retired: RetiredKey[] = [];
  for (const row of await listRetiredKeys(db, organizationId)) {
    const opened = openRetiredKey(current, row);
    if (opened === null) return null;
    retired.push(opened);
  }
  return { current, retired };
}

/** Reads the retired keys of all logs that this installation sealed, by organization. */
export async function readRetiredKeys(
  db: Database,
  current: Buffer,
): Promise<Map<string, RetiredKey[]>> {
  const keys = new Map<string, RetiredKey[]>();
  for (const row of await listRetiredKeys(db, null)) {
    const opened = openRetiredKey(current, row);
    if (opened === null) continue;
    keys.set(row.organizationId, [...(keys.get(row.organizationId) ?? []), opened]);
  }
  return keys;
}

/** Replaces the stored keys by those in `retired`, sealed for the key `current`. */
export async function saveRetiredKeys(
  tx: Tx,
  organizationId: string,
  { current, retired }: ChainKeys,
): Promise<void> {
  const sealingKey = deriveRetiredKeysKey(current);
  const rows = retired.map(({ key, throughSeq, checkpointSeq }) => {
    const content: SealedKey = {
      key: key.toString("hex"),
      checkpoint_seq: checkpointSeq?.toString() ?? null,
    };
    const keySealed = seal(
      sealingKey,
      JSON.stringify(content),
      contextOf(organizationId, throughSeq),
    );
    return { organizationId, throughSeq, keySealed };
  });
  await replaceRetiredKeys(tx, organizationId, rows);
}

/** Returns the key that signs the event with this number. */
export function findKeyAt({ current, retired }: ChainKeys, seq: bigint): Buffer {
  return retired.find(({ throughSeq }) => seq <= throughSeq)?.key ?? current;
}

/** Returns the keys that may have signed the checkpoint with this number. */
export function listCheckpointKeys({ current, retired }: ChainKeys, seq: bigint): Buffer[] {
  const isOlder = retired.at(-1)?.checkpointSeq === seq;
  return isOlder ? [current, ...retired.map(({ key }) => key)] : [current];
}

function openRetiredKey(current: Buffer, row: RetiredKeyRow): RetiredKey | null {
  const { organizationId, throughSeq, keySealed } = row;
  try {
    const context = contextOf(organizationId, throughSeq);
    const text = unseal(deriveRetiredKeysKey(current), keySealed, context);
    const { key, checkpoint_seq } = JSON.parse(text) as SealedKey;
    const checkpointSeq = checkpoint_seq === null ? null : BigInt(checkpoint_seq);
    return { key: Buffer.from(key, "hex"), throughSeq, checkpointSeq };
  } catch {
    return null;
  }
}

function contextOf(organizationId: string, throughSeq: bigint): string {
  return `retired audit key ${organizationId} ${throughSeq}`;
}
