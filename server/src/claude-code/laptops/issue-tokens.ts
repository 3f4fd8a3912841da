import {
  ACCESS_TOKEN_MS,
  type AccessTokens,
  type TokenSubject,
} from "#src/key-lookup/access-tokens.ts";

/** Answer of the token endpoint (RFC 6749, 5.1). */
export interface TokenAnswer {
  access_token: string;
  token_type: "Bearer";
  /** Seconds. */
  expires_in: number;
  refresh_token: string;
  email?: string;
}

export function issueTokens(
  tokens: AccessTokens,
  subject: TokenSubject,
  of: { refreshToken: string; email: string | null; nowMs: number },
): TokenAnswer {
  return {
    access_token: tokens.issueAccess(subject, of.nowMs),
    token_type: "Bearer",
    expires_in: ACCESS_TOKEN_MS / 1000,
    refresh_token: of.refreshToken,
    // The client asks the person to confirm it.
    ...(of.email !== null && { email: of.email }),
  };
}
