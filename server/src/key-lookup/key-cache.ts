import { LRUCache } from "lru-cache";
import type { Changed, ChangeScope } from "#src/db/change-watch.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Clock } from "#src/lib/clock.ts";
import { hashSecretToText } from "#src/lib/secret-hash.ts";
import type { FoundKey } from "./api-key-lookup.sql.ts";

// The keys a node has seen, by the SHA-256 of their secret: all of it, since a shortened one could be made to collide.
// Three bounds keep valid-looking garbage from hurting: both
// memories are LRU, a hash is looked up once however many requests carry it, and few look-ups run at a time. Those that
// wait go together, in one statement: after a start or a change about everything, all keys in use are asked for at once.
// Measured with 1,000 of them: one statement each refused 740, where 256 could wait.

const MAX_FOUND = 20_000;
const MAX_UNKNOWN = 10_000;
const UNKNOWN_TTL_MS = 3_000;
const MAX_RUNNING_LOOKUPS = 4;
const MAX_WAITING_LOOKUPS = 4_096;
const LOOKUP_BATCH = 256;
const LOOKUP_TIMEOUT_MS = 5_000;

export interface KeyCache {
  /** What memory alone knows: the key, null (known not to exist), or undefined (ask `find`). Never waits. */
  findCached(secret: string): FoundKey | null | undefined;
  /** The key, from PostgreSQL when memory does not have it. Throws `ApiError("database_unavailable")` when that cannot be asked. */
  find(secret: string): Promise<FoundKey | null>;
  /** Forgets what has changed: called for every change that another node or this one has committed. */
  forget(changed: Changed): void;
}

export interface KeyCacheDeps {
  /** The one statement, for some hashes: `findApiKeysByHashes`. The answers are in their order. */
  lookup: (secretHashes: readonly Uint8Array[]) => Promise<(FoundKey | null)[]>;
  /** Milliseconds since the change watch last heard from PostgreSQL. */
  msSinceContact: () => number;
  /** `BURSAR_LEASE_TTL`: without contact for longer, a cached key may have been revoked elsewhere and is not believed. */
  leaseTtlMs: number;
  clock: Clock;
}

export function makeKeyCache(deps: KeyCacheDeps): KeyCache {
  const found = new LRUCache<string, FoundKey>({ max: MAX_FOUND });
  const unknownUntilMs = new LRUCache<string, number>({ max: MAX_UNKNOWN });
  const flights = new Map<string, Promise<FoundKey | null>>();
  const enqueue = makeLookupQueue(deps.lookup);
  let generation = 0;

  function findByHash(name: string): FoundKey | null | undefined {
    if (deps.msSinceContact() > deps.leaseTtlMs) return undefined;
    const key = found.get(name);
    if (key !== undefined) return key;
    const untilMs = unknownUntilMs.get(name);
    return untilMs !== undefined && deps.clock.monotonicMs() < untilMs ? null : undefined;
  }

  async function fly(name: string): Promise<FoundKey | null> {
    const startedIn = generation;
    try {
      const key = await enqueue(Buffer.from(name, "latin1"));
      // A change was seen while this was read: the row may be the old one. Good for the requests that were already
      // waiting, not for later ones.
      if (generation === startedIn) {
        if (key) found.set(name, key);
        else unknownUntilMs.set(name, deps.clock.monotonicMs() + UNKNOWN_TTL_MS);
      }
      return key;
    } finally {
      if (generation === startedIn) flights.delete(name);
    }
  }

  return {
    findCached: (secret) => findByHash(hashSecretToText(secret)),
    async find(secret) {
      const name = hashSecretToText(secret);
      const cached = findByHash(name);
      if (cached !== undefined) return cached;
      let flight = flights.get(name);
      if (flight === undefined) {
        flight = fly(name);
        flights.set(name, flight);
      }
      return flight;
    },
    forget(changed) {
      if (changed !== "anything" && changed.every(({ kind }) => kind === "no_key")) return;
      // What is being read now may be the old row. That nobody else waits for it costs a look-up at most.
      generation++;
      flights.clear();
      if (changed === "anything") {
        found.clear();
        unknownUntilMs.clear();
      } else forgetKeys(found, changed);
    },
  };
}

/** Looks at every key once, however much has changed: 20,000 of them take a millisecond. */
function forgetKeys(found: LRUCache<string, FoundKey>, changed: readonly ChangeScope[]): void {
  const ids = (kind: ChangeScope["kind"]) =>
    new Set(changed.filter((scope) => scope.kind === kind).map(({ id }) => id));
  const keys = ids("api_key");
  const workspaces = ids("workspace");
  const members = ids("member");
  for (const [name, key] of found.entries()) {
    const isOwnerChanged = key.ownerMemberId !== null && members.has(key.ownerMemberId);
    if (keys.has(key.id) || workspaces.has(key.workspaceId) || isOwnerChanged) found.delete(name);
  }
}

interface WaitingLookup {
  hash: Uint8Array;
  resolve: (key: FoundKey | null) => void;
  reject: (error: ApiError) => void;
}

/**
 * Runs few look-ups at a time, first come first served, all that wait in as few statements as may be; refuses what would
 * wait behind too many or for too long.
 */
function makeLookupQueue(lookup: KeyCacheDeps["lookup"]) {
  const waiting: WaitingLookup[] = [];
  let running = 0;

  function startNext(): void {
    while (running < MAX_RUNNING_LOOKUPS) {
      const batch = waiting.splice(0, LOOKUP_BATCH);
      if (batch.length === 0) return;
      running++;
      void run(batch);
    }
  }

  async function run(batch: readonly WaitingLookup[]): Promise<void> {
    try {
      const found = await lookup(batch.map(({ hash }) => hash));
      for (const [index, item] of batch.entries()) item.resolve(found[index] ?? null);
    } catch {
      // The database does not answer: whoever waits behind these learns it now, not after a timeout each.
      for (const item of [...batch, ...waiting.splice(0)]) item.reject(cannotCheck());
    } finally {
      running--;
      startNext();
    }
  }

  return (hash: Uint8Array): Promise<FoundKey | null> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= MAX_WAITING_LOOKUPS) {
        reject(cannotCheck());
        return;
      }
      const timer = setTimeout(() => {
        const index = waiting.indexOf(item);
        if (index !== -1) waiting.splice(index, 1);
        item.reject(cannotCheck());
      }, LOOKUP_TIMEOUT_MS);
      const item: WaitingLookup = {
        hash,
        resolve: (key) => {
          clearTimeout(timer);
          resolve(key);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      waiting.push(item);
      startNext();
    });
}

function cannotCheck(): ApiError {
  return new ApiError(
    "database_unavailable",
    "The API key cannot be checked right now, because the server's database does not answer. Try again in a moment.",
    { "retry-after": "1" },
  );
}
