/** Errors of RFC 6749, RFC 7009 and RFC 8628. */
export type OauthErrorCode =
  | "access_denied"
  | "authorization_pending"
  | "expired_token"
  | "invalid_grant"
  | "invalid_request"
  | "slow_down"
  | "temporarily_unavailable"
  | "unsupported_grant_type";

const statuses: Readonly<Partial<Record<OauthErrorCode, number>>> = {
  // Claude Code signs out.
  invalid_grant: 401,
  temporarily_unavailable: 503,
};

/** A refusal in the form of OAuth, for clients without the official error body. */
export class OauthError extends Error {
  readonly code: OauthErrorCode;
  readonly status: number;
  /** Seconds. Null: no header. */
  readonly retryAfter: number | null;

  constructor(
    code: OauthErrorCode,
    description: string,
    options: { status?: number; retryAfter?: number } = {},
  ) {
    super(description);
    this.name = "OauthError";
    this.code = code;
    this.status = options.status ?? statuses[code] ?? 400;
    this.retryAfter = options.retryAfter ?? null;
  }
}

export function refuseUnavailable(): OauthError {
  return new OauthError(
    "temporarily_unavailable",
    "The server's database does not respond. Try again in a moment.",
    { retryAfter: 1 },
  );
}
