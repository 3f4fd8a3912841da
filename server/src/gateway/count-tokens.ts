import { type HttpRequest, requestWhole } from "#src/lib/http-client.ts";
import type { Upstream } from "#src/upstreams/upstream.ts";
import { type Exchange, isUserKnown } from "./exchange.ts";
import { toUpstreamHeaders } from "./forward-headers.ts";
import { removeTagsBeta } from "./group-tag.ts";

/** Fields of a message that `POST /v1/messages/count_tokens` accepts. Others are not sent. */
const countedFields = new Set([
  "model",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "output_format",
  "cache_control",
  "speed",
]);
const WITHIN_MS = 4_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks the upstream for the number of input tokens, which costs nothing. Makes one attempt in a bounded time, which `signal`
 * can abort. Null: the attempt failed.
 */
export async function countTokens(
  exchange: Exchange,
  call: { upstream: Upstream; body: Buffer; signal: AbortSignal },
): Promise<number | null> {
  const { upstream, body, signal } = call;
  const { target } = exchange.call;
  const fields = removeTagsBeta(exchange.laptop, exchange.call.fields);
  try {
    const sent: HttpRequest = {
      path: upstream.basePath + countPath(target),
      method: "POST",
      headers: toUpstreamHeaders(fields, upstream.credential, isUserKnown(exchange)),
      body: Buffer.from(JSON.stringify(toCounted(body))),
      headersTimeoutMs: null,
    };
    const bounds = {
      maxBytes: MAX_ANSWER_BYTES,
      signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]),
    };
    const { status, body: answer } = await requestWhole(upstream.client, sent, bounds);
    return status === 200 ? readCount(answer.toString("utf8")) : null;
  } catch {
    return null;
  }
}

function countPath(target: string): string {
  const query = target.indexOf("?");
  return `/v1/messages/count_tokens${query === -1 ? "" : target.slice(query)}`;
}

function toCounted(body: Buffer): Record<string, unknown> {
  const message = JSON.parse(body.toString("utf8")) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(message).filter(([name]) => countedFields.has(name)));
}

function readCount(text: string): number | null {
  const { input_tokens: tokens } = JSON.parse(text) as { input_tokens?: unknown };
  return typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : null;
}
