import { ApiError } from "#src/domain/api-error.ts";

// Browsers send cookies with every request, also when another site causes it. So a session is accepted only for
// requests of this server's console. They have a header that foreign pages cannot set, and changes have the console's
// own origin.

/** Facts about the source of a request. */
export interface ConsoleRequest {
  /** True for every method except GET and HEAD. */
  isChange: boolean;
  /** Header `x-bursar-console`. */
  marker: string | undefined;
  origin: string | undefined;
  host: string | undefined;
  contentType: string | undefined;
}

const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/**
 * Checks the source of a request. Throws a 401 without the console's header, a 403 for another origin, a 400 for a
 * form. `publicOrigin` is the origin of `BURSAR_PUBLIC_URL`, or null. Forwarded headers are not trusted, nor is a
 * request's Host, unless it is a loopback name, which no other site can have.
 */
export function checkConsoleRequest(request: ConsoleRequest, publicOrigin: string | null): void {
  if (request.marker !== "1") {
    throw new ApiError(
      "console_header_missing",
      "A session requires the header x-bursar-console: 1. Programs send an admin key as x-api-key instead.",
    );
  }
  const { isChange, origin, contentType } = request;
  if (origin === undefined ? isChange : !isOwnOrigin(origin, request.host, publicOrigin)) {
    throw new ApiError(
      "foreign_origin",
      `This request is not from this server's own console (Origin: ${origin?.slice(0, 100) ?? "none"}). ` +
        "If you opened the console, set BURSAR_PUBLIC_URL to its address.",
    );
  }
  if (isChange && contentType !== undefined && !/^application\/json\s*(;|$)/i.test(contentType)) {
    throw new ApiError(
      "invalid_header",
      "content-type: expected application/json.",
      {},
      { header: "content-type" },
    );
  }
}

function isOwnOrigin(
  origin: string,
  host: string | undefined,
  publicOrigin: string | null,
): boolean {
  if (origin === publicOrigin) return true;
  if (host === undefined || !LOOPBACK_HOST.test(host)) return false;
  return origin === `http://${host.toLowerCase()}` || origin === `https://${host.toLowerCase()}`;
}
