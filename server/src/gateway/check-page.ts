import { ApiError } from "#src/domain/api-error.ts";
import type { CallingPage } from "#src/http1/client-call.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";

/** Pages of any origin. */
const ANY_ORIGIN = "*";

/**
 * Checks a request of a page in a browser. A playground key works in the console, which has the origin of this server.
 * Throws the official 401 for a client that does not state the risk, and a 403 for an origin that the key does not allow.
 */
export function checkPage(
  page: CallingPage,
  { allowedOrigins, purpose }: Pick<FoundKey, "allowedOrigins" | "purpose">,
): void {
  if (purpose === "playground") return;
  if (!page.isDirectStated) {
    throw new ApiError(
      "browser_access_not_stated",
      "CORS requests must set 'anthropic-dangerous-direct-browser-access' header. A page shows its API key to each of its readers.",
    );
  }
  if (allowedOrigins?.includes(ANY_ORIGIN) || allowedOrigins?.includes(page.origin)) return;
  throw new ApiError(
    "origin_not_allowed",
    "This API key does not allow pages of this origin. Add the origin to the allowed origins of the key.",
  );
}
