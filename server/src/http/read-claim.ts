import type { RouteSpec } from "@bursar/contract/route.ts";
import type { FastifyRequest } from "fastify";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import type { ClaimedRequest } from "#src/domain/claim.ts";

/** 255 visible ASCII characters. Two such headers arrive as one text with a space and are refused too. */
const KEY = /^[!-~]{1,255}$/;

/**
 * Reads the claim that makes a repeated request run once, or null. Any POST can have an `Idempotency-Key`. Official
 * SDKs send none, but count their attempts: there the input identifies the request, and only a second attempt counts as
 * the same one. Throws a 400.
 */
export function readClaim(
  route: RouteSpec,
  caller: Caller,
  request: FastifyRequest,
): ClaimedRequest | null {
  if (route.method !== "POST") return null;
  const { body, headers, url: target } = request;
  const key = headers["idempotency-key"];
  const attempt = headers["x-stainless-retry-count"];
  const common = {
    caller,
    operationId: route.operationId,
    input: { target, body: Buffer.isBuffer(body) ? body : null },
  };
  if (key !== undefined) {
    if (typeof key === "string" && KEY.test(key)) return { ...common, key, isFirstAttempt: false };
    throw new ApiError(
      "invalid_header",
      "idempotency-key: expected 1 to 255 visible ASCII characters, such as a UUID.",
      {},
      { header: "idempotency-key" },
    );
  }
  const isOfficial = route.path.startsWith("/v1/organizations/");
  if (!isOfficial || typeof attempt !== "string" || !/^\d{1,3}$/.test(attempt)) return null;
  return { ...common, key: null, isFirstAttempt: Number(attempt) === 0 };
}
