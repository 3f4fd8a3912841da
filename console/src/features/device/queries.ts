import { type Answer, ApiError } from "../../api-client.ts";

export type DeviceAuthorization = Answer<"getDeviceAuthorization">;

const MINUTE_SECONDS = 60;

/** Seconds until the next attempt, after too many wrong codes. Null: another error. */
export function findWaitSeconds(error: unknown): number | null {
  if (!(error instanceof ApiError) || error.errorCode !== "too_many_attempts") return null;
  return error.retryAfterSeconds ?? MINUTE_SECONDS;
}

/** The code is unknown, used, expired or open in another browser. The server does not say which. */
export function isEndedCode(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
