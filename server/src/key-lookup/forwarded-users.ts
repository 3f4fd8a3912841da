import { LRUCache } from "lru-cache";
import type { Changed, ChangeScope } from "#src/db/change-watch.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { FoundUser, UserName } from "./forwarded-users.sql.ts";
import { makeLookupQueue } from "./lookup-queue.ts";

// Members whom a gateway in front of this server names in its requests. Memory answers for known ones. Others share a statement,
// and one statement runs at a time, so a client that invents users costs no more than that.

const MAX_USERS = 20_000;
const MAX_WAITING = 4_096;
const LOOKUP_BATCH = 256;
const LOOKUP_TIMEOUT_MS = 5_000;
/** Time for which an unknown user stays unknown. */
const UNKNOWN_MS = 3_000;
/** Age at which a known user is looked up again, while requests continue with the known one. */
const RENEW_MS = 60_000;

export interface ForwardedUsers {
  /** Cached result: the user, null (known not to exist), or undefined (call `find`). Never waits. */
  findCached(name: UserName): FoundUser | null | undefined;
  /** Returns the user, from PostgreSQL if not cached. Throws `database_unavailable` without PostgreSQL. */
  find(name: UserName): Promise<FoundUser | null>;
  /** Drops changed users. Called for every committed change of any node. */
  forget(changed: Changed): void;
}

export interface ForwardedUsersDeps {
  /** The statement for several users: `findUsersBySubjects`. Results are in order. */
  lookup: (names: readonly UserName[]) => Promise<(FoundUser | null)[]>;
  /** Time since the change watch last reached PostgreSQL, milliseconds. */
  msSinceContact: () => number;
  /** `BURSAR_LEASE_TTL`. After a longer silence a cached user is not used. */
  leaseTtlMs: number;
  clock: Clock;
}

interface KnownUser {
  user: FoundUser | null;
  atMs: number;
}

export function makeForwardedUsers(deps: ForwardedUsersDeps): ForwardedUsers {
  const known = new LRUCache<string, KnownUser>({ max: MAX_USERS });
  const lookUps = new Map<string, Promise<FoundUser | null>>();
  const queue = makeLookupQueue({
    lookup: deps.lookup,
    maxRunning: 1,
    maxWaiting: MAX_WAITING,
    timeoutMs: LOOKUP_TIMEOUT_MS,
    takeBatch: (waiting) => waiting.splice(0, LOOKUP_BATCH),
    makeUnavailableError,
  });
  let generation = 0;

  async function lookUp(key: string, name: UserName): Promise<FoundUser | null> {
    const startGeneration = generation;
    try {
      const user = await queue.find(name);
      // A change arrived during the query, so the row may be old.
      if (generation === startGeneration) known.set(key, { user, atMs: deps.clock.monotonicMs() });
      return user;
    } finally {
      if (generation === startGeneration) lookUps.delete(key);
    }
  }

  function startLookUp(key: string, name: UserName): Promise<FoundUser | null> {
    const started = lookUps.get(key) ?? lookUp(key, name);
    lookUps.set(key, started);
    return started;
  }

  function findCached(name: UserName): FoundUser | null | undefined {
    if (deps.msSinceContact() > deps.leaseTtlMs) return undefined;
    const key = keyOf(name);
    const found = known.get(key);
    if (found === undefined) return undefined;
    const ageMs = deps.clock.monotonicMs() - found.atMs;
    if (found.user === null) return ageMs < UNKNOWN_MS ? null : undefined;
    if (ageMs >= RENEW_MS) startLookUp(key, name).catch(() => undefined);
    return found.user;
  }

  return {
    findCached,
    async find(name) {
      const cached = findCached(name);
      return cached === undefined ? startLookUp(keyOf(name), name) : cached;
    },
    forget(changed) {
      generation++;
      lookUps.clear();
      if (changed === "anything") known.clear();
      else for (const key of findChanged(known, changed)) known.delete(key);
    },
  };
}

function keyOf({ directoryId, subject }: UserName): string {
  return `${directoryId} ${subject}`;
}

/** Finds users whose member or group changed. Scans every user once. */
function findChanged(
  known: LRUCache<string, KnownUser>,
  changed: readonly ChangeScope[],
): string[] {
  const idsOf = (kind: ChangeScope["kind"]) =>
    new Set(changed.filter((scope) => scope.kind === kind).map(({ id }) => id));
  const members = idsOf("member");
  const groups = idsOf("group");
  if (members.size === 0 && groups.size === 0) return [];
  const keys: string[] = [];
  for (const [key, { user }] of known.entries()) {
    if (user === null) continue;
    if (members.has(user.ownerMemberId) || user.groupIds.some((id) => groups.has(id))) {
      keys.push(key);
    }
  }
  return keys;
}

function makeUnavailableError(): ApiError {
  return new ApiError(
    "database_unavailable",
    "The user of this request cannot be found right now, because the server's database does not respond. Retry in a moment.",
    { "retry-after": "1" },
  );
}
