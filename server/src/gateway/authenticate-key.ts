import {
  type ClaudeAction,
  findRequiredPermission,
  includesPermission,
} from "@bursar/contract/permissions.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { checkSecret } from "#src/domain/key-format.ts";
import type { AccessTokens, LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { checkLaptopKey, keyNameOf } from "#src/key-lookup/authenticate-laptop.ts";
import type { ForwardedUsers } from "#src/key-lookup/forwarded-users.ts";
import type { KeyCache } from "#src/key-lookup/key-cache.ts";
import { checkKeyActive } from "#src/key-lookup/refuse-key.ts";
import { assert } from "#src/lib/assert.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import { attributeRequest } from "./attribute-request.ts";

export interface AuthenticateDeps {
  keys: KeyCache;
  accessTokens: AccessTokens;
  /** Users of gateways with a key for all of them. */
  users: ForwardedUsers;
  /** Milliseconds since the epoch on the database's clock, which decides expiry. */
  databaseNowMs: () => number;
}

/** Use of a key by one request. */
export interface KeyCall {
  fields: HeaderFields;
  action: ClaudeAction;
  /** Address of the client. Null: unknown. */
  address: () => string | null;
  /** Called with the found key before its check, and again with its user. Must not throw. */
  onKnown: (known: KnownKey) => void;
}

export interface KnownKey {
  key: FoundKey;
  /** Time of the check, milliseconds since the epoch on the database's clock. */
  checkedAtMs: number;
  /** Null for a key with a secret of its own. */
  laptop: LaptopClaims | null;
}

/**
 * Finds and checks the key of a request, without a wait if memory has it. The credential is a secret or the access token of a
 * laptop. The key has the member whom `attributeRequest` finds. Throws or rejects with:
 * - a 401 that names the problem of the key, because the caller has its credential.
 * - a 403 if the key has no permission for `action`, or not from the client's `address`, or not for the user.
 * - a 503 if the key cannot be checked.
 */
export function authenticateKey(
  deps: AuthenticateDeps,
  call: KeyCall,
): FoundKey | Promise<FoundKey> {
  const secret = readSecret(deps, call.fields);
  if (deps.accessTokens.looksLike(secret)) return authenticateToken(deps, secret, call);
  const cached = deps.keys.findCached(secret);
  if (cached !== undefined) return attribute(deps, checkKey(deps, cached, call), call);
  // The format of a cached secret was checked before.
  checkFormat(secret);
  return deps.keys
    .find(secret, call.address())
    .then((key) => attribute(deps, checkKey(deps, key, call), call));
}

function attribute(
  deps: AuthenticateDeps,
  key: FoundKey,
  { fields, onKnown }: KeyCall,
): FoundKey | Promise<FoundKey> {
  if (key.userDirectoryId === null) return key;
  const attributed = attributeRequest(deps.users, key, fields);
  const note = (known: FoundKey): FoundKey => {
    onKnown({ key: known, checkedAtMs: deps.databaseNowMs(), laptop: null });
    return known;
  };
  return attributed instanceof Promise ? attributed.then(note) : note(attributed);
}

function authenticateToken(
  deps: AuthenticateDeps,
  token: string,
  call: KeyCall,
): FoundKey | Promise<FoundKey> {
  const laptop = deps.accessTokens.check(token, deps.databaseNowMs());
  const name = keyNameOf(laptop);
  const cached = deps.keys.findCachedByHash(name);
  if (cached !== undefined) return checkKeyOfLaptop(deps, { laptop, key: cached }, call);
  return deps.keys
    .findByHash(name, call.address())
    .then((key) => checkKeyOfLaptop(deps, { laptop, key }, call));
}

function checkKeyOfLaptop(
  deps: AuthenticateDeps,
  { laptop, key }: { laptop: LaptopClaims; key: FoundKey | null },
  { action, address, onKnown }: KeyCall,
): FoundKey {
  const checkedAtMs = deps.databaseNowMs();
  if (key !== null) onKnown({ key, checkedAtMs, laptop });
  return checkPermission(checkLaptopKey(laptop, key, { nowMs: checkedAtMs, address }), action);
}

/**
 * Reads the secret of the request. A client with both ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN sends two headers, and one
 * of the keys may belong to another service. The key with this server's format counts. Two different keys of that format
 * are refused, because the bill could go to either.
 */
function readSecret({ accessTokens }: AuthenticateDeps, fields: HeaderFields): string {
  const authorization = fields.find("authorization");
  const fromApiKey = fields.find("x-api-key")?.trim() ?? "";
  const fromBearer = readBearer(authorization);
  if (fromApiKey === "" && fromBearer === "") throw makeMissingKeyError(authorization);
  if (fromApiKey === "" || fromBearer === "" || fromApiKey === fromBearer) {
    return fromApiKey === "" ? fromBearer : fromApiKey;
  }
  const isOurs = (text: string) => checkSecret(text) !== null || accessTokens.isOwn(text);
  const isBearerOurs = isOurs(fromBearer);
  if (isBearerOurs && isOurs(fromApiKey)) {
    throw new ApiError(
      "conflicting_api_keys",
      "Two different API keys were sent, one in x-api-key and one in Authorization: send only one of them.",
    );
  }
  return isBearerOurs ? fromBearer : fromApiKey;
}

const BEARER = "bearer ";

function readBearer(header: string | undefined): string {
  if (header === undefined || header.length <= BEARER.length) return "";
  const scheme = header.slice(0, BEARER.length);
  return scheme.toLowerCase() === BEARER ? header.slice(BEARER.length).trim() : "";
}

const AWS_SIGNATURE = "AWS4-HMAC-SHA256 ";

function makeMissingKeyError(authorization: string | undefined): ApiError {
  const reason = findMissingReason(authorization);
  return new ApiError(
    "api_key_missing",
    `x-api-key header is required: send the key of a workspace as "x-api-key: <key>" or as "Authorization: Bearer <key>"${
      reason === null ? "" : ` (${reason})`
    }.`,
  );
}

/** Null: the request has no other form of a credential. */
function findMissingReason(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  return authorization.startsWith(AWS_SIGNATURE)
    ? "this server accepts no AWS signature: set AWS_BEARER_TOKEN_BEDROCK to the key, or pass it as the API key of Bedrock"
    : "the Authorization header of this request has no Bearer key";
}

/** Refuses a text that cannot be a workspace key, without a query. */
function checkFormat(secret: string): void {
  const format = checkSecret(secret);
  if (format === null) {
    throw new ApiError(
      "api_key_invalid",
      "invalid x-api-key: this is not a key of this server. A workspace key begins with sk-ant-api03- and ends in a " +
        "checksum, so this one was cut, was mistyped, or belongs to another server.",
    );
  }
  if (format.kind === "admin") {
    throw new ApiError(
      "api_key_wrong_kind",
      "invalid x-api-key: this is an admin key (sk-ant-admin01-…), which is valid for the Admin API only. " +
        "Calls to Claude need the key of a workspace (sk-ant-api03-…).",
    );
  }
}

function checkKey(
  deps: AuthenticateDeps,
  key: FoundKey | null,
  { action, address, onKnown }: KeyCall,
): FoundKey {
  if (key === null) {
    throw new ApiError(
      "api_key_invalid",
      "invalid x-api-key: no workspace of this server has this API key.",
    );
  }
  const checkedAtMs = deps.databaseNowMs();
  onKnown({ key, checkedAtMs, laptop: null });
  checkKeyActive(key, checkedAtMs, address);
  return checkPermission(key, action);
}

function checkPermission(key: FoundKey, action: ClaudeAction): FoundKey {
  const needed = findRequiredPermission(action);
  assert(needed !== null, "every action of the Claude API is open to some workspace key");
  if (!includesPermission(key.permission, needed)) {
    throw new ApiError(
      "permission_denied",
      `This API key has the permission "${key.permission}". This call needs "${needed}".`,
    );
  }
  return key;
}
