import { idPrefixes } from "@bursar/contract/ids.ts";
import { bumpChangeCounter } from "#src/db/change-watch.ts";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import { seal, unseal } from "#src/lib/seal.ts";
import {
  deleteTokenKeys,
  insertTokenKey,
  listTokenKeys,
  type TokenKeyRow,
} from "./access-token-keys.sql.ts";
import { type AccessTokens, makeAccessTokens, type TokenKey } from "./access-tokens.ts";
import { decideTokenKeys, LEAD_MS } from "./token-key-age.rule.ts";

// Keys of tokens, sealed in the database. All nodes read them at their start and after each change.

export interface TokenKeyDeps {
  database: Database;
  sealingKey: Buffer;
  randomBytes: RandomBytes;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
}

/** Issuer of tokens without a public address. */
export const UNNAMED_ISSUER = "urn:bursar";
const KEY_BYTES = 32;

/** Returns the keys that this installation sealed. A key that was inserted into the database does not open. */
export async function readTokenKeys(
  deps: Pick<TokenKeyDeps, "database" | "sealingKey">,
): Promise<TokenKey[]> {
  return (await listTokenKeys(deps.database)).flatMap((row) => openTokenKey(deps.sealingKey, row));
}

function openTokenKey(sealingKey: Buffer, row: TokenKeyRow): TokenKey[] {
  try {
    const text = unseal(sealingKey, row.key_sealed, tokenKeySealContext(row.id));
    const bytes = Buffer.from(text, "base64url");
    return [{ id: row.id, bytes, usedFromMs: row.used_from.getTime() }];
  } catch {
    return [];
  }
}

/** Creates the first key, once for all nodes. */
async function ensureTokenKey(deps: TokenKeyDeps): Promise<void> {
  if ((await readTokenKeys(deps)).length > 0) return;
  await inTransaction(deps.database, async (tx) => {
    // Locks the counter, so that only one of several nodes creates a key.
    await bumpChangeCounter(tx, [{ kind: "no_key", id: "" }]);
    const rows = await listTokenKeys(tx);
    if (rows.some((row) => openTokenKey(deps.sealingKey, row).length > 0)) return;
    const now = new Date(deps.nowMs());
    await insertTokenKey(tx, makeTokenKey(deps, { now, usedFrom: now }));
  });
}

/** Creates the next key before the newest one is too old, and deletes keys without a living token. */
export async function replaceTokenKeys(deps: TokenKeyDeps): Promise<void> {
  const nowMs = deps.nowMs();
  await inTransaction(deps.database, async (tx) => {
    // Locks the counter first, so that only one of several nodes creates a key.
    await bumpChangeCounter(tx, [{ kind: "no_key", id: "" }]);
    const rows = await listTokenKeys(tx);
    const keys = rows.map(({ id, used_from }) => ({ id, usedFromMs: used_from.getTime() }));
    const { isNewKeyDue, oldIds } = decideTokenKeys(keys, nowMs);
    if (oldIds.length > 0) await deleteTokenKeys(tx, oldIds);
    if (!isNewKeyDue) return;
    const usedFrom = new Date(nowMs + LEAD_MS);
    await insertTokenKey(tx, makeTokenKey(deps, { now: new Date(nowMs), usedFrom }));
  });
}

/** Makes the row of a new key. */
function makeTokenKey(
  { sealingKey, randomBytes }: Pick<TokenKeyDeps, "sealingKey" | "randomBytes">,
  { now, usedFrom }: { now: Date; usedFrom: Date },
): TokenKeyRow {
  const id = newId(idPrefixes.accessTokenKey, now.getTime(), randomBytes);
  const text = Buffer.from(randomBytes(KEY_BYTES)).toString("base64url");
  const key_sealed = seal(sealingKey, text, tokenKeySealContext(id));
  return { id, key_sealed, created_at: now, used_from: usedFrom };
}

export function tokenKeySealContext(id: string): string {
  return `access token key ${id}`;
}

export interface StartedTokens {
  tokens: AccessTokens;
  /** Reads the keys again. */
  reload(): Promise<void>;
}

/** Starts the check of tokens with at least one key. */
export async function startAccessTokens(
  deps: TokenKeyDeps,
  issuer: () => string,
): Promise<StartedTokens> {
  const tokens = makeAccessTokens(issuer);
  const reload = async () => tokens.setKeys(await readTokenKeys(deps));
  await ensureTokenKey(deps);
  await reload();
  return { tokens, reload };
}
