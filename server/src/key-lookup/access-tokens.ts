import { timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import { ApiError } from "#src/domain/api-error.ts";
import { copyText } from "#src/lib/copy-text.ts";
import { makeHmac, type SignText } from "./hmac.ts";

// Tokens of laptops: JSON web tokens with HS256. The header of a valid token is one of few known texts, so a token never
// chooses its algorithm. A checked token is found in memory by its signature, and its whole text must be the same.

export interface LaptopClaims {
  organizationId: string;
  memberId: string;
  laptopId: string;
  /** Hash of the laptop's secret, base64url. */
  key: string;
  groupIds: readonly string[];
  groupNames: readonly string[];
  issuedAtMs: number;
  expiresAtMs: number;
  billingGroupTag: string | null;
}

/** Claims of a refresh token. */
export interface RefreshClaims extends LaptopClaims {
  /** Number of the refresh token, 1 for the first one. */
  generation: number;
}

/** Subject of a new token. */
export type TokenSubject = Omit<LaptopClaims, "issuedAtMs" | "expiresAtMs">;

/** A key that signs tokens. */
export interface TokenKey {
  id: string;
  /** 32 bytes. */
  bytes: Uint8Array;
  /** Earliest use, milliseconds since the epoch. */
  usedFromMs: number;
}

export interface AccessTokens {
  /** True for a text with the form of a token: three parts, beginning with "eyJ". No check. */
  looksLike(text: string): boolean;
  /** True if the header of the text is one of this server's tokens. No check of the signature. */
  isOwn(text: string): boolean;
  /**
   * Returns the claims of an access token, from the memory of checked tokens or after a check of its signature. Throws 401
   * `access_token_invalid` or `access_token_expired`.
   */
  check(token: string, nowMs: number): LaptopClaims;
  /** The same for a refresh token. */
  checkRefresh(token: string, nowMs: number): RefreshClaims;
  /** Creates an access token for one hour. */
  issueAccess(subject: TokenSubject, nowMs: number): string;
  /** Creates a refresh token for 90 days, the longest time without a refresh. */
  issueRefresh(subject: TokenSubject, generation: number, nowMs: number): string;
  /** Replaces the keys, after a change of any node. */
  setKeys(keys: readonly TokenKey[]): void;
}

export const ACCESS_TOKEN_MS = 3_600_000;
/** Time without a refresh after which a laptop must sign in again. */
export const REFRESH_TOKEN_MS = 90 * 86_400_000;
const AUDIENCE = "bursar";
/** Highest number of checked tokens in memory. One takes about 1.5 KB. */
const MAX_CHECKED = 10_000;
/** Longer texts are no tokens. HTTP headers have at most 16 KB. */
const MAX_CHARS = 16_384;
const SIGNATURE_CHARS = 43;
const BASE64URL = /^[\w.-]+$/;

type TokenType = "at+jwt" | "rt+jwt";

interface Header {
  type: TokenType;
  sign: SignText;
}

interface Checked {
  token: string;
  claims: LaptopClaims;
}

interface Payload {
  iss: string;
  aud: string;
  sub: string;
  org: string;
  laptop: string;
  key: string;
  gid: string[];
  groups: string[];
  iat: number;
  exp: number;
  billing_group_tag?: string;
  gen?: number;
}

/** `issuer`: public address of this server, the same on all nodes. */
export function makeAccessTokens(issuer: () => string): AccessTokens {
  const checked = new LRUCache<string, Checked>({ max: MAX_CHECKED });
  let headers = new Map<string, Header>();
  let keys: readonly TokenKey[] = [];

  /** Throws `access_token_invalid` for any text but a token of the type with a valid signature. */
  function verify(token: string, type: TokenType): Payload {
    const second = token.indexOf(".");
    const third = token.indexOf(".", second + 1);
    const header = headers.get(token.slice(0, second));
    if (header?.type !== type || third === -1 || token.length > MAX_CHARS) throw refuseToken();
    // The signature covers bytes, and two characters beyond these could have the same byte.
    if (!BASE64URL.test(token)) throw refuseToken();
    const expected = header.sign(token.slice(0, third));
    if (!isSameText(token.slice(third + 1), expected)) throw refuseToken();
    const text = Buffer.from(token.slice(second + 1, third), "base64url").toString();
    const payload = JSON.parse(text) as Payload;
    if (payload.iss !== issuer() || payload.aud !== AUDIENCE) throw refuseToken();
    return payload;
  }

  function issue(type: TokenType, claims: Omit<Payload, "iss" | "aud">, nowMs: number): string {
    const key = pickSigningKey(keys, nowMs);
    const payload = { iss: issuer(), aud: AUDIENCE, ...claims };
    const text = `${encodeHeader(key.id, type)}.${encode(JSON.stringify(payload))}`;
    return `${text}.${makeHmac(key.bytes)(text)}`;
  }

  return {
    looksLike: (text) =>
      text.startsWith("eyJ") && text.length <= MAX_CHARS && text.split(".", 4).length === 3,
    isOwn: (text) => headers.has(text.slice(0, text.indexOf("."))),
    check(token, nowMs) {
      const signature = token.slice(-SIGNATURE_CHARS);
      const known = checked.get(signature);
      const claims = known?.token === token ? known.claims : toClaims(verify(token, "at+jwt"));
      if (known?.token !== token) {
        checked.set(copyText(signature), { token: copyText(token), claims });
      }
      if (nowMs >= claims.expiresAtMs) throw refuseExpired(claims.expiresAtMs);
      return claims;
    },
    checkRefresh(token, nowMs) {
      const payload = verify(token, "rt+jwt");
      const claims = toClaims(payload);
      if (nowMs >= claims.expiresAtMs) throw refuseExpired(claims.expiresAtMs);
      return { ...claims, generation: payload.gen ?? 0 };
    },
    issueAccess: (subject, nowMs) =>
      issue("at+jwt", toPayload(subject, nowMs, ACCESS_TOKEN_MS), nowMs),
    issueRefresh: (subject, generation, nowMs) =>
      issue("rt+jwt", { ...toPayload(subject, nowMs, REFRESH_TOKEN_MS), gen: generation }, nowMs),
    setKeys(changed) {
      keys = changed;
      headers = new Map(
        changed.flatMap(({ id, bytes }) => {
          const sign = makeHmac(bytes);
          return (["at+jwt", "rt+jwt"] as const).map((type) => [
            encodeHeader(id, type),
            { type, sign },
          ]);
        }),
      );
      checked.clear();
    },
  };
}

/** Returns the newest key that all nodes know. Throws a 503 without one. */
function pickSigningKey(keys: readonly TokenKey[], nowMs: number): TokenKey {
  const usable = keys
    .filter(({ usedFromMs }) => usedFromMs <= nowMs)
    .toSorted((a, b) => b.usedFromMs - a.usedFromMs || (a.id < b.id ? 1 : -1));
  const [newest] = usable;
  if (newest === undefined) {
    throw new ApiError("server_not_ready", "This server has no key for tokens yet. Try again.", {
      "retry-after": "1",
    });
  }
  return newest;
}

function encodeHeader(keyId: string, type: TokenType): string {
  return encode(JSON.stringify({ alg: "HS256", kid: keyId, typ: type }));
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

/** Compares texts instead of bytes, so a token has one form only. */
function isSameText(given: string, expected: string): boolean {
  return (
    given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected))
  );
}

function toPayload(subject: TokenSubject, nowMs: number, lifetimeMs: number) {
  const { billingGroupTag } = subject;
  return {
    sub: subject.memberId,
    org: subject.organizationId,
    laptop: subject.laptopId,
    key: subject.key,
    gid: [...subject.groupIds],
    groups: [...subject.groupNames],
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor((nowMs + lifetimeMs) / 1000),
    ...(billingGroupTag !== null && { billing_group_tag: billingGroupTag }),
  };
}

function toClaims(payload: Payload): LaptopClaims {
  return {
    organizationId: payload.org,
    memberId: payload.sub,
    laptopId: payload.laptop,
    key: payload.key,
    groupIds: payload.gid,
    groupNames: payload.groups,
    issuedAtMs: payload.iat * 1000,
    expiresAtMs: payload.exp * 1000,
    billingGroupTag: payload.billing_group_tag ?? null,
  };
}

function refuseToken(): ApiError {
  return new ApiError(
    "access_token_invalid",
    "This token is not a valid token of this server. Sign in again with /login.",
  );
}

function refuseExpired(expiredMs: number): ApiError {
  return new ApiError(
    "access_token_expired",
    `This token expired at ${new Date(expiredMs).toISOString()}. Sign in again with /login.`,
  );
}
