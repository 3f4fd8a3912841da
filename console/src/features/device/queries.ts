import { type Answer, ApiError } from "../../api-client.ts";

export type DeviceAuthorization = Answer<"getDeviceAuthorization">;

/** The code is unknown, used, expired or open in another browser. The server does not say which. */
export function isEndedCode(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
