import { LRUCache } from "lru-cache";
import type { Changed, ChangeScope } from "#src/db/change-watch.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { computeShare, OUTER_PART } from "#src/domain/fair-share.ts";
import type { Clock } from "#src/lib/clock.ts";
import { hashSecretToText } from "#src/lib/secret-hash.ts";
import type { FoundKey } from "./api-key-lookup.sql.ts";
import { makeLookupQueue, type WaitingLookup } from "./lookup-queue.ts";

// Caches keys by the whole SHA-256 of their secret, because shortened hashes could collide. Bounds protect against
// valid-looking garbage: both caches are LRU, a hash is looked up once for all concurrent requests, and few look-ups
// run concurrently. Waiting look-ups share a statement, because after a start or a general change all keys in use are
// looked up at once. One address can have half of the waiting look-ups, and half of a statement while others wait. So
// garbage of one address delays no key of another. Measured with 1,000 of them: single statements refused 740 when 256 could wait.

const MAX_FOUND = 20_000;
const MAX_UNKNOWN = 10_000;
const UNKNOWN_TTL_MS = 3_000;
const MAX_RUNNING_LOOKUPS = 4;
const MAX_WAITING_LOOKUPS = 4_096;
const LOOKUP_BATCH = 256;
const LOOKUP_TIMEOUT_MS = 5_000;
/** Highest number of dropped keys that are looked up again at once, the last used first. */
const MAX_RENEWED = 1_000;

export interface KeyCache {
  /** Cached result: the key, null (known not to exist), or undefined (call `find`). Never waits. */
  findCached(secret: string): FoundKey | null | undefined;
  /**
   * Returns the key, from PostgreSQL if it is not cached. `address`: of the client, or null. Throws `database_unavailable`
   * without PostgreSQL, and `share_exhausted` if too many look-ups of the address wait.
   */
  find(secret: string, address?: string | null): Promise<FoundKey | null>;
  /** `findCached` by the SHA-256 of a secret. `name`: the hash as latin1 text. */
  findCachedByHash(name: string): FoundKey | null | undefined;
  /** `find` by the SHA-256 of a secret. */
  findByHash(name: string, address: string | null): Promise<FoundKey | null>;
  /**
   * Drops changed keys, and looks them up again, so that they are known if the database goes away. Called for every
   * committed change of any node.
   */
  forget(changed: Changed): void;
}

export interface KeyCacheDeps {
  /** The statement for several hashes: `findApiKeysByHashes`. Results are in order. */
  lookup: (secretHashes: readonly Uint8Array[]) => Promise<(FoundKey | null)[]>;
  /** Time since the change watch last reached PostgreSQL, milliseconds. */
  msSinceContact: () => number;
  /** `BURSAR_LEASE_TTL`. After a longer silence a cached key may have been revoked elsewhere and is not used. */
  leaseTtlMs: number;
  clock: Clock;
}

export function makeKeyCache(deps: KeyCacheDeps): KeyCache {
  const found = new LRUCache<string, FoundKey>({ max: MAX_FOUND });
  const unknownUntilMs = new LRUCache<string, number>({ max: MAX_UNKNOWN });
  const lookUps = new Map<string, Promise<FoundKey | null>>();
  const enqueue = makeKeyQueue(deps.lookup);
  let generation = 0;

  function findCachedByHash(name: string): FoundKey | null | undefined {
    if (deps.msSinceContact() > deps.leaseTtlMs) return undefined;
    const key = found.get(name);
    if (key !== undefined) return key;
    const untilMs = unknownUntilMs.get(name);
    return untilMs !== undefined && deps.clock.monotonicMs() < untilMs ? null : undefined;
  }

  async function lookUpKey(name: string, address: string): Promise<FoundKey | null> {
    const startGeneration = generation;
    try {
      const key = await enqueue(Buffer.from(name, "latin1"), address);
      // A change arrived during the query, so the row may be old. Requests that waited already can use it, later ones
      // cannot.
      if (generation === startGeneration) {
        if (key) found.set(name, key);
        else unknownUntilMs.set(name, deps.clock.monotonicMs() + UNKNOWN_TTL_MS);
      }
      return key;
    } finally {
      if (generation === startGeneration) lookUps.delete(name);
    }
  }

  function startLookUp(name: string, address: string): Promise<FoundKey | null> {
    const lookUp = lookUpKey(name, address);
    lookUps.set(name, lookUp);
    return lookUp;
  }

  async function findByHash(name: string, address: string | null): Promise<FoundKey | null> {
    const cached = findCachedByHash(name);
    if (cached !== undefined) return cached;
    return lookUps.get(name) ?? startLookUp(name, address ?? "");
  }

  return {
    findCached: (secret) => findCachedByHash(hashSecretToText(secret)),
    find: (secret, address = null) => findByHash(hashSecretToText(secret), address),
    findCachedByHash,
    findByHash,
    forget(changed) {
      if (changed !== "anything" && changed.every(({ kind }) => kind === "no_key")) return;
      // A running query may return an old row. Dropping it costs at most one more look-up.
      generation++;
      lookUps.clear();
      const dropped = changed === "anything" ? [...found.keys()] : findChanged(found, changed);
      for (const name of dropped) found.delete(name);
      if (changed === "anything") unknownUntilMs.clear();
      for (const name of dropped.slice(0, MAX_RENEWED)) {
        startLookUp(name, "").catch(() => undefined);
      }
    },
  };
}

/**
 * Finds the names of changed keys, the last used first. Scans every key once, for any number of changes: 20,000 keys take a
 * millisecond.
 */
function findChanged(found: LRUCache<string, FoundKey>, changed: readonly ChangeScope[]): string[] {
  const ids = (kind: ChangeScope["kind"]) =>
    new Set(changed.filter((scope) => scope.kind === kind).map(({ id }) => id));
  const keys = ids("api_key");
  const workspaces = ids("workspace");
  const members = ids("member");
  const groups = ids("group");
  const names: string[] = [];
  for (const [name, key] of found.entries()) {
    const isOwnerChanged = key.ownerMemberId !== null && members.has(key.ownerMemberId);
    const isGroupChanged = groups.size > 0 && key.groupIds.some((id) => groups.has(id));
    const isChanged = keys.has(key.id) || workspaces.has(key.workspaceId);
    if (isChanged || isOwnerChanged || isGroupChanged) names.push(name);
  }
  return names;
}

interface AskedKey {
  hash: Uint8Array;
  /** Address of the client. Empty: unknown, or a renewed key. */
  address: string;
}

type WaitingKey = WaitingLookup<AskedKey, FoundKey>;

/** Queue of look-ups that refuses one address behind too many of its own. */
function makeKeyQueue(lookup: KeyCacheDeps["lookup"]) {
  const queue = makeLookupQueue<AskedKey, FoundKey>({
    lookup: (asked) => lookup(asked.map(({ hash }) => hash)),
    maxRunning: MAX_RUNNING_LOOKUPS,
    maxWaiting: MAX_WAITING_LOOKUPS,
    timeoutMs: LOOKUP_TIMEOUT_MS,
    takeBatch,
    makeUnavailableError,
  });
  return async (hash: Uint8Array, address: string): Promise<FoundKey | null> => {
    const { waiting } = queue;
    const own = countOf(waiting, address);
    const share = computeShare(MAX_WAITING_LOOKUPS - waiting.length + own, OUTER_PART, 1);
    if (own >= share) throw makeShareError(own, share);
    return queue.find({ hash, address });
  };
}

/** Number of waiting look-ups of an address. Scans at most 4,096 while the database is slow, and none otherwise. */
function countOf(waiting: readonly WaitingKey[], address: string): number {
  let own = 0;
  for (const item of waiting) if (item.asked.address === address) own += 1;
  return own;
}

/** Removes the look-ups of the next statement, in order of arrival, with at most half of one address if others wait. */
function takeBatch(waiting: WaitingKey[]): WaitingKey[] {
  if (waiting.length <= LOOKUP_BATCH) return waiting.splice(0);
  const counts = new Map<string, number>();
  const isEarly = ({ asked: { address } }: WaitingKey): boolean => {
    const count = (counts.get(address) ?? 0) + 1;
    counts.set(address, count);
    return count <= LOOKUP_BATCH / 2;
  };
  const early = waiting.filter(isEarly).slice(0, LOOKUP_BATCH);
  const taken = new Set(early);
  const rest = waiting.filter((item) => !taken.has(item));
  early.push(...rest.splice(0, LOOKUP_BATCH - early.length));
  waiting.splice(0, waiting.length, ...rest);
  return early;
}

function makeShareError(used: number, most: number): ApiError {
  return new ApiError(
    "share_exhausted",
    "Too many unknown API keys from this address wait for a check. Send the request again in a moment.",
    { "retry-after": "1" },
    { share: { kind: "key_lookups", scope: null, used, most } },
  );
}

function makeUnavailableError(): ApiError {
  return new ApiError(
    "database_unavailable",
    "The API key cannot be checked right now, because the server's database does not respond. Retry in a moment.",
    { "retry-after": "1" },
  );
}
