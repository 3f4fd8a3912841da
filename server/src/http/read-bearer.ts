import { ApiError } from "#src/domain/api-error.ts";

/** Returns the bearer token of an Authorization header. Throws a 401 without one. */
export function readBearer(header: string | undefined): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(header ?? "") ?? [];
  if (token !== undefined) return token;
  throw new ApiError("api_key_missing", "Send the access token as `authorization: Bearer …`.");
}
