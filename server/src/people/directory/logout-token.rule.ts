// Claims of a logout token, by OpenID Connect Back-Channel Logout 1.0, section 2.6. The signature was checked before.

export interface Logout {
  /** Null: all sessions of the subject. */
  providerSession: string | null;
  /** Null: the session alone identifies the person. */
  subject: string | null;
  /** Id of the token, for replays. */
  tokenId: string;
  /** Time from which the token is refused for its age, milliseconds. */
  expiresAtMs: number;
}

const EVENT = "http://schemas.openid.net/event/backchannel-logout";
/** Highest age of a token, seconds. */
export const MAX_AGE_SECONDS = 600;
/** Tolerance for the clocks of provider and server. */
export const TOLERANCE_SECONDS = 30;
const MAX_TEXT = 500;

type Claims = Readonly<Record<string, unknown>>;

/** Returns the logout, or the fault of the token as a sentence. */
export function readLogout(claims: Claims): Logout | string {
  const { sub, sid, jti, iat, events } = claims;
  if (Object.hasOwn(claims, "nonce")) return "A logout token has no nonce.";
  if (typeof events !== "object" || events === null || !isObject((events as Claims)[EVENT])) {
    return "The token is not about a logout.";
  }
  if (!isText(jti)) return "The token has no id.";
  if (typeof iat !== "number") return "The token has no time.";
  if ([sub, sid].some((claim) => claim !== undefined && !isText(claim))) {
    return "The subject or the session is invalid.";
  }
  if (sub === undefined && sid === undefined) return "The token names no subject and no session.";
  return {
    providerSession: isText(sid) ? sid : null,
    subject: isText(sub) ? sub : null,
    tokenId: jti,
    expiresAtMs: (iat + MAX_AGE_SECONDS + TOLERANCE_SECONDS) * 1000,
  };
}

/** PostgreSQL stores no NUL. */
function isText(value: unknown): value is string {
  return (
    typeof value === "string" && value !== "" && value.length <= MAX_TEXT && !value.includes("\0")
  );
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
