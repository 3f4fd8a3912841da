import { ApiError } from "#src/domain/api-error.ts";
import { isDoneWithin } from "#src/lib/is-done-within.ts";
import type { AccessTokens, LaptopClaims } from "./access-tokens.ts";
import type { FoundKey } from "./api-key-lookup.sql.ts";
import type { KeyCache } from "./key-cache.ts";
import { checkKeyActive, refuseEndedLaptop } from "./refuse-key.ts";

// Authentication with an access token. The token names the secret of its laptop, so the key cache answers as for a key.

export interface LaptopDeps {
  accessTokens: AccessTokens;
  keys: KeyCache;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  /** Longest wait for PostgreSQL, milliseconds. Default: 250. */
  lookupMs?: number;
}

export interface AuthenticatedLaptop {
  claims: LaptopClaims;
  /** Null: PostgreSQL is away, and the key is not cached. */
  key: FoundKey | null;
}

/** Longest wait for PostgreSQL, milliseconds. */
const DEFAULT_LOOKUP_MS = 250;

/**
 * Checks the access token of a request, for routes that answer without PostgreSQL too. Rejects with a 401 for an invalid token
 * or an ended laptop. Rejects with a 403 if the key must not be used from `address`.
 */
export async function authenticateLaptop(
  deps: LaptopDeps,
  bearer: string,
  address: string | null,
): Promise<AuthenticatedLaptop> {
  const claims = deps.accessTokens.check(bearer, deps.nowMs());
  const key = await findLaptopKey(deps, claims, address);
  if (key === undefined) return { claims, key: null };
  return {
    claims,
    key: checkLaptopKey(claims, key, { nowMs: deps.nowMs(), address: () => address }),
  };
}

/** Name of the laptop's secret in the key cache. */
export function keyNameOf({ key }: LaptopClaims): string {
  return Buffer.from(key, "base64url").toString("latin1");
}

/** Returns the key of a checked token. Throws the reason why it does not work. `key`: null for an unknown hash. */
export function checkLaptopKey(
  claims: LaptopClaims,
  key: FoundKey | null,
  { nowMs, address }: { nowMs: number; address: () => string | null },
): FoundKey {
  if (key === null || !isOfLaptop(claims, key)) throw refuseEndedLaptop();
  checkKeyActive(key, nowMs, address);
  return key;
}

/** True unless the token belongs to another database. */
function isOfLaptop(claims: LaptopClaims, key: FoundKey): boolean {
  return (
    key.purpose === "claude_code" &&
    key.ownerMemberId === claims.memberId &&
    key.organizationId === claims.organizationId
  );
}

/** Finds the key of a checked token. Null: no such key. Undefined: PostgreSQL does not respond soon. */
export async function findLaptopKey(
  { keys, lookupMs = DEFAULT_LOOKUP_MS }: Pick<LaptopDeps, "keys" | "lookupMs">,
  claims: LaptopClaims,
  address: string | null,
): Promise<FoundKey | null | undefined> {
  const name = keyNameOf(claims);
  const cached = keys.findCachedByHash(name);
  if (cached !== undefined) return cached;
  let found: FoundKey | null | undefined;
  const lookUp = keys.findByHash(name, address).then((key) => {
    found = key;
  });
  try {
    await isDoneWithin(lookupMs, lookUp);
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "database_unavailable")) throw error;
  }
  // A look-up that fails later has no reader.
  lookUp.catch(() => undefined);
  return found;
}
