import { newId } from "#src/lib/ids.ts";

const ORGANIZATION_ID = "00000000-0000-4000-8000-000000000000";

/** Limits per minute, the same for every caller and never enforced. */
const limits = { requests: 4_000, "input-tokens": 2_000_000, "output-tokens": 400_000 };

const fixedHeaders: Record<string, string> = {
  "anthropic-organization-id": ORGANIZATION_ID,
  ...Object.fromEntries(
    Object.entries(limits).flatMap(([name, limit]) => [
      [`anthropic-ratelimit-${name}-limit`, String(limit)],
      [`anthropic-ratelimit-${name}-remaining`, String(limit)],
    ]),
  ),
};

export function newRequestId(nowMs: number): string {
  return newId("req_", nowMs);
}

/** Headers of every response: https://platform.claude.com/docs/en/api/rate-limits. */
export function makeHeaders(requestId: string, nowMs: number): Record<string, string> {
  const reset = new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    ...fixedHeaders,
    "anthropic-ratelimit-requests-reset": reset,
    "anthropic-ratelimit-input-tokens-reset": reset,
    "anthropic-ratelimit-output-tokens-reset": reset,
    "request-id": requestId,
  };
}
