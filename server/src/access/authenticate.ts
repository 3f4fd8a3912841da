import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type {
  AdminKeyCaller,
  Caller,
  MemberCaller,
  WorkspaceKeyCaller,
} from "#src/domain/caller.ts";
import { checkSecret, hashSecret } from "#src/domain/key-format.ts";
import { compileRanges, isInRanges } from "#src/key-lookup/address-ranges.ts";
import { type FoundAdminKey, findAdminKeyByHash } from "#src/key-lookup/admin-key-lookup.sql.ts";
import { findApiKeyByHash } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { AdminKeyUses, KeyUse } from "#src/key-lookup/key-use.ts";
import { checkKeyActive, refuseUnsigned } from "#src/key-lookup/refuse-key.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { type ConsoleRequest, checkConsoleRequest } from "./console-request.ts";
import type { Sessions } from "./sessions.ts";

// Authenticates callers of the Admin API. Every request queries PostgreSQL, so a revoked key is refused from the commit
// of its revocation. The lookup uses the whole hash: no bytes are compared, and no part of a secret reaches a log or a
// message.

export interface AuthenticateDeps {
  database: Database;
  /** Checks the signatures of keys, roles and sessions. */
  rows: RowSigner;
  /** The database's clock, milliseconds since the epoch. The only clock for expiry. */
  nowMs: () => number;
  /** Organization of the local operator. */
  operatorOrganizationId: string;
  keyUse: Pick<KeyUse, "record">;
  adminKeyUse: Pick<AdminKeyUses, "record">;
  sessions: Sessions;
  /** Restrictions that a failover lost. */
  lostRestrictions: {
    /** True until they are applied again. */
    isPending(): boolean;
    /** Resolves when they are. Throws a 503 after some seconds. */
    settled(): Promise<void>;
  };
  /** Origin of `BURSAR_PUBLIC_URL`, the console's address. Null: not set. */
  publicOrigin: string | null;
}

/** Parts of a request that identify the caller. */
export interface PresentedIdentity {
  xApiKey: string | undefined;
  authorization: string | undefined;
  /** Client address, or null. Called only if the key is restricted to addresses, or when its use is recorded. */
  address: () => string | null;
  cookie: string | undefined;
  /** Source of the request. Null on a route without sessions. */
  console: ConsoleRequest | null;
  /**
   * User id of the local admin socket, null on other listeners. Only the server's own user and root can open the
   * socket, and they cannot be distinguished.
   */
  operatorUid: string | null;
}

/**
 * Finds the caller. A key has priority, also on the local socket, which needs none. Throws a 401 with the fault of the
 * key, because the client has its secret. Throws a 400 for a key with a cookie, and errors of `checkConsoleRequest` for
 * a session of another origin. After a failover waits until lost restrictions are applied again.
 */
export async function authenticate(
  deps: AuthenticateDeps,
  presented: PresentedIdentity,
): Promise<Caller> {
  const caller = await findCaller(deps, presented);
  // The lookup itself can be the first statement after the failover.
  if (!deps.lostRestrictions.isPending()) return caller;
  await deps.lostRestrictions.settled();
  return findCaller(deps, presented);
}

async function findCaller(deps: AuthenticateDeps, presented: PresentedIdentity): Promise<Caller> {
  const secret = readSecret(presented);
  if (secret === null) {
    return authenticateWithoutKey(deps, presented);
  }
  if (presented.cookie !== undefined) {
    throw new ApiError(
      "conflicting_credentials",
      "A cookie and a key were sent together. Send only the key, so that the caller is unambiguous.",
    );
  }
  const format = checkSecret(secret);
  if (format === null) {
    throw new ApiError(
      "api_key_invalid",
      "invalid x-api-key: this is not a key of this server. Keys begin with sk-ant-admin01- or sk-ant-api03- and end in " +
        "a checksum, so this one was cut, was mistyped, or belongs to another server.",
    );
  }
  const hash = hashSecret(secret);
  return format.kind === "admin"
    ? authenticateAdminKey(deps, presented, hash)
    : authenticateWorkspaceKey(deps, presented, hash);
}

async function authenticateWithoutKey(
  deps: AuthenticateDeps,
  presented: PresentedIdentity,
): Promise<Caller> {
  const { operatorUid, cookie, console } = presented;
  if (operatorUid !== null) {
    const organizationId = deps.operatorOrganizationId;
    return { kind: "local_operator", id: operatorUid, organizationId };
  }
  if (cookie === undefined || console === null) throw describeMissingKey(presented);
  return authenticateSession(deps, cookie, { ...presented, console });
}

async function authenticateSession(
  deps: AuthenticateDeps,
  cookie: string,
  presented: { console: ConsoleRequest; address: () => string | null },
): Promise<MemberCaller> {
  checkConsoleRequest(presented.console, deps.publicOrigin);
  const member = await deps.sessions.find(cookie, presented.address);
  if (member === null) {
    throw new ApiError(
      "session_expired",
      "You are not signed in, or your session has ended. Sign in again.",
    );
  }
  return member;
}

const HELD_ADMIN_KEY =
  "This admin key was restored from a backup and waits for confirmation, because it may have been revoked since. " +
  "The operator of the server confirms it with `./bursar restore confirm-keys`.";

async function authenticateAdminKey(
  deps: AuthenticateDeps,
  presented: PresentedIdentity,
  hash: Uint8Array,
): Promise<AdminKeyCaller> {
  const key = await findAdminKeyByHash(deps.database, deps.rows, hash);
  if (key === null)
    throw new ApiError("api_key_invalid", "invalid x-api-key: this server has no such admin key.");
  if (key.isUnsigned) throw refuseUnsigned("admin key");
  if (key.status === "revoked")
    throw new ApiError("api_key_revoked", "This admin key has been revoked.");
  if (key.status === "inactive") throw new ApiError("api_key_unconfirmed", HELD_ADMIN_KEY);
  const checkedAtMs = deps.nowMs();
  if (key.expiresAtMs !== null && checkedAtMs >= key.expiresAtMs) {
    const expiredAt = new Date(key.expiresAtMs).toISOString();
    throw new ApiError(
      "api_key_expired",
      `This admin key expired at ${expiredAt}. Create another one.`,
    );
  }
  const address = presented.address();
  checkAddress(key, address);
  deps.adminKeyUse.record({ adminKeyId: key.id, atMs: checkedAtMs, address });
  const { id, organizationId, scopes, allowedAddresses, expiresAtMs } = key;
  return { kind: "admin_key", id, organizationId, scopes, allowedAddresses, expiresAtMs };
}

/** Throws a 403 for an address from which the key does not work. Over the admin socket there is none. */
function checkAddress({ allowedAddresses }: FoundAdminKey, address: string | null): void {
  if (allowedAddresses === null || isInRanges(compileRanges(allowedAddresses), address)) return;
  // The allowed addresses are not named, because a thief could use them.
  throw new ApiError(
    "address_not_allowed",
    `This admin key cannot be used from ${address ?? "an unknown address"}, because it is restricted to certain addresses.`,
  );
}

async function authenticateWorkspaceKey(
  deps: AuthenticateDeps,
  presented: PresentedIdentity,
  hash: Uint8Array,
): Promise<WorkspaceKeyCaller> {
  const key = await findApiKeyByHash(deps.database, deps.rows, hash);
  if (key === null) {
    throw new ApiError(
      "api_key_invalid",
      "invalid x-api-key: no workspace of this server has this API key.",
    );
  }
  const checkedAtMs = deps.nowMs();
  checkKeyActive(key, checkedAtMs, presented.address);
  deps.keyUse.record({
    secretId: key.secretId,
    atMs: checkedAtMs,
    address: presented.address(),
    model: null,
  });
  return {
    kind: "api_key",
    id: key.id,
    organizationId: key.organizationId,
    workspaceId: key.workspaceId,
    permission: key.permission,
    ownerMemberId: key.ownerMemberId,
    seesOwnUsageOnly: key.seesOwnUsageOnly,
  };
}

const BEARER = /^bearer +(\S.*)$/i;

/**
 * The one secret of the request. A foreign key in the second header is ignored. Two keys of this server are refused.
 */
function readSecret(presented: PresentedIdentity): string | null {
  const fromHeader = presented.xApiKey?.trim() ?? "";
  const fromBearer = BEARER.exec(presented.authorization ?? "")?.[1]?.trim() ?? "";
  if (fromHeader === "" && fromBearer === "") {
    // The request has an invalid key, so it must not fall back to the local socket's authority.
    if (presented.authorization !== undefined || presented.xApiKey !== undefined) {
      throw describeMissingKey(presented);
    }
    return null;
  }
  if (fromHeader === "" || fromHeader === fromBearer) return fromBearer;
  if (fromBearer === "") return fromHeader;
  const isHeaderOurs = checkSecret(fromHeader) !== null;
  if (isHeaderOurs && checkSecret(fromBearer) !== null) {
    throw new ApiError(
      "conflicting_api_keys",
      "Two different keys were sent, one in x-api-key and one in Authorization. Send only one of them.",
    );
  }
  return isHeaderOurs ? fromHeader : fromBearer;
}

function describeMissingKey(presented: PresentedIdentity): ApiError {
  const isOtherScheme = presented.authorization !== undefined;
  return new ApiError(
    "api_key_missing",
    'x-api-key header is required: send an admin key as "x-api-key: <key>" or as "Authorization: Bearer <key>"' +
      `${isOtherScheme ? " (the Authorization header contains no Bearer key)" : ""}.`,
  );
}
