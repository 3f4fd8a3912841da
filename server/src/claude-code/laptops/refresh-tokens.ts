import { type AuditDeps, auditedTransactionByActor } from "#src/audit/audited-transaction.ts";
import { isUnavailable } from "#src/db/database-error.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Origin } from "#src/domain/caller.ts";
import type { RefreshClaims, TokenSubject } from "#src/key-lookup/access-tokens.ts";
import {
  checkLaptopKey,
  findLaptopKey,
  type LaptopDeps,
} from "#src/key-lookup/authenticate-laptop.ts";
import { isDoneWithin } from "#src/lib/is-done-within.ts";
import { issueTokens, type TokenAnswer } from "./issue-tokens.ts";
import {
  describeMember,
  findLaptop,
  type LaptopRow,
  lockLaptop,
  saveRefresh,
} from "./laptops.sql.ts";
import { endOne } from "./laptops.ts";
import { OauthError, refuseUnavailable } from "./oauth-error.ts";
import { decideRefresh, type RefreshState } from "./refresh.rule.ts";

export type RefreshDeps = AuditDeps & LaptopDeps;

/** Longest wait for PostgreSQL, milliseconds. Then the memory answers. */
const DATABASE_MS = 1_000;

/**
 * Answers a refresh (RFC 6749, 6). Writes only when the token is replaced, once a day, and when the new one is first
 * presented. Without PostgreSQL the cached key decides, and the token stays the same. Rejects with 401 `invalid_grant` for a
 * laptop that ended or whose member has no access, and with 503 `temporarily_unavailable` if nothing is known.
 */
export async function refreshTokens(
  deps: RefreshDeps,
  origin: Origin,
  refreshToken: string,
): Promise<TokenAnswer> {
  const claims = readRefreshToken(deps, refreshToken);
  await checkKey(deps, claims, origin.ipAddress);
  const stored = await readStored(deps, claims);
  const nowMs = deps.nowMs();
  if (stored === null) {
    return issueTokens(deps.accessTokens, claims, { refreshToken, email: null, nowMs });
  }
  const { laptop, member } = stored;
  const subject: TokenSubject = {
    ...claims,
    groupIds: member.groups.map(({ id }) => id),
    groupNames: member.groups.map(({ name }) => name),
    billingGroupTag: member.billingGroupTag,
  };
  const generation = await rotate(deps, origin, laptop, claims);
  const next =
    generation === claims.generation
      ? refreshToken
      : deps.accessTokens.issueRefresh(subject, generation, nowMs);
  const of = { refreshToken: next, email: member.email, nowMs };
  return issueTokens(deps.accessTokens, subject, of);
}

function readRefreshToken(deps: RefreshDeps, refreshToken: string): RefreshClaims {
  try {
    return deps.accessTokens.checkRefresh(refreshToken, deps.nowMs());
  } catch (error) {
    if (error instanceof ApiError) throw refuseGrant();
    throw error;
  }
}

/** Reasons for which the member has to sign in again. Others can end, and the client keeps its tokens. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  "laptop_ended",
  "api_key_owner_inactive",
  "api_key_archived",
  "api_key_workspace_archived",
]);

async function checkKey(
  deps: RefreshDeps,
  claims: RefreshClaims,
  address: string | null,
): Promise<void> {
  const key = await findLaptopKey(deps, claims, address);
  if (key === undefined) throw refuseUnavailable();
  try {
    checkLaptopKey(claims, key, { nowMs: deps.nowMs(), address: () => address });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (FINAL_CODES.has(error.code)) throw refuseGrant();
    throw new OauthError("access_denied", error.message, { status: 403 });
  }
}

interface Stored {
  laptop: LaptopRow;
  member: Awaited<ReturnType<typeof describeMember>>;
}

/** Null: PostgreSQL does not respond. */
async function readStored(
  { database }: RefreshDeps,
  { organizationId, laptopId: id, memberId }: RefreshClaims,
): Promise<Stored | null> {
  let stored: Stored | null = null;
  const reading = (async () => {
    const laptop = await findLaptop(database, { organizationId, id, memberId });
    if (laptop === null) throw refuseGrant();
    stored = { laptop, member: await describeMember(database, memberId) };
  })();
  try {
    await isDoneWithin(DATABASE_MS, reading);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
  }
  // A read that fails later has no reader.
  reading.catch(() => undefined);
  return stored;
}

/** Returns the generation of the next refresh token. Ends the laptop after a replay. */
async function rotate(
  deps: RefreshDeps,
  origin: Origin,
  laptop: LaptopRow,
  claims: RefreshClaims,
): Promise<number> {
  const nowMs = deps.nowMs();
  const seen = decideRefresh(stateOf(laptop), claims.generation, nowMs);
  if (seen !== null && isSameState(seen, stateOf(laptop))) return seen.generation;
  const { organizationId, laptopId: id } = claims;
  const saved = await inTransaction(deps.database, async (tx) => {
    const row = await lockLaptop(tx, { organizationId, id });
    const next = row && decideRefresh(stateOf(row), claims.generation, nowMs);
    if (row === null || next === null) return null;
    const { generation, isConfirmed, rotatedAtMs } = next;
    if (!isSameState(next, stateOf(row))) {
      await saveRefresh(tx, id, { generation, isConfirmed, rotatedAt: new Date(rotatedAtMs) });
    }
    return generation;
  });
  if (saved !== null) return saved;
  await endReplayed(deps, origin, claims);
  throw refuseGrant();
}

async function endReplayed(
  deps: RefreshDeps,
  origin: Origin,
  { organizationId, laptopId: id }: RefreshClaims,
): Promise<void> {
  const actor = { type: "system", id: "refresh" };
  await auditedTransactionByActor(deps, { organizationId, actor, origin }, async (tx) => {
    const row = await lockLaptop(tx, { organizationId, id });
    if (row === null) return { result: undefined, audit: "unchanged" };
    const now = new Date(deps.nowMs());
    const { audit } = await endOne(tx, row, { now, reason: "replayed" });
    return { result: undefined, audit };
  });
}

function stateOf(row: LaptopRow): RefreshState {
  return {
    generation: row.generation,
    isConfirmed: row.is_confirmed,
    rotatedAtMs: row.rotated_at.getTime(),
  };
}

function isSameState(a: RefreshState, b: RefreshState): boolean {
  return (
    a.generation === b.generation &&
    a.isConfirmed === b.isConfirmed &&
    a.rotatedAtMs === b.rotatedAtMs
  );
}

function refuseGrant(): OauthError {
  return new OauthError("invalid_grant", "This sign-in has ended. Sign in again with /login.");
}
