import { ApiError } from "#src/domain/api-error.ts";

// A cookie goes along with whatever a browser sends, also at the wish of another site. So a session counts only for a
// request that this server's own console has made: it says so in a header that no foreign page may set, and what
// changes something comes from the console's own origin.

/** What a request says of where it comes from. */
export interface ConsoleRequest {
  /** Anything but a GET or a HEAD. */
  isChange: boolean;
  /** Header `x-bursar-console`. */
  marker: string | undefined;
  origin: string | undefined;
  host: string | undefined;
  contentType: string | undefined;
}

const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/**
 * Throws a 401 where the console's header is missing, a 403 for another origin, a 400 for a form. `publicOrigin` is the
 * origin of `BURSAR_PUBLIC_URL`, or null. Nothing else is believed: neither the Host of a request (unless it is a
 * loopback name, which no other site can have) nor what a proxy forwards.
 */
export function checkConsoleRequest(request: ConsoleRequest, publicOrigin: string | null): void {
  if (request.marker !== "1") {
    throw new ApiError(
      "console_header_missing",
      "A session counts only together with the header x-bursar-console: 1. Programs send an admin key as x-api-key instead.",
    );
  }
  const { isChange, origin, contentType } = request;
  if (origin === undefined ? isChange : !isOwnOrigin(origin, request.host, publicOrigin)) {
    throw new ApiError(
      "foreign_origin",
      `This request does not come from this server's own console (Origin: ${origin?.slice(0, 100) ?? "none"}). ` +
        "If you did open the console, set BURSAR_PUBLIC_URL to the address it is opened under.",
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
