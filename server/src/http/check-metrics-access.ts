import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { ApiError } from "#src/domain/api-error.ts";
import type { ClientFacts } from "./client-address.ts";

export interface MetricsAccess {
  /** `BURSAR_METRICS_TOKEN`. Null: programs of this machine read metrics without a token. */
  metricsToken: string | null;
  clientAddress: ClientFacts["clientAddress"];
  isLocalOperator: (socket: IncomingMessage["socket"]) => string | null;
}

const CHALLENGE = { "www-authenticate": "Bearer" };
/** Fields of proxies. A proxy on this machine that is not trusted would make every client local. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/**
 * Checks that the client may read metrics: over the admin socket, with the token, or from this machine without one. Throws a
 * 401.
 */
export function checkMetricsAccess(
  { metricsToken, clientAddress, isLocalOperator }: MetricsAccess,
  request: IncomingMessage,
): void {
  if (isLocalOperator(request.socket) !== null) return;
  if (metricsToken === null) {
    const address = clientAddress(request) ?? "";
    const isForwarded = FORWARDED.some((name) => request.headers[name] !== undefined);
    if (isLoopback(address) && !isForwarded) return;
    const message = "Metrics are for programs of this machine, or need BURSAR_METRICS_TOKEN.";
    throw new ApiError("api_key_missing", message, CHALLENGE);
  }
  const [, sent] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (sent === undefined) {
    const message = "Send the token of BURSAR_METRICS_TOKEN as authorization: Bearer <token>.";
    throw new ApiError("api_key_missing", message, CHALLENGE);
  }
  if (!timingSafeEqual(hash(sent), hash(metricsToken))) {
    throw new ApiError("api_key_invalid", "This is not BURSAR_METRICS_TOKEN.", CHALLENGE);
  }
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
