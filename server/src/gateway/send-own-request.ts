import { ApiError } from "#src/domain/api-error.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import {
  readWhole,
  requestStreamed,
  type StreamedAnswer,
  type StreamedBounds,
} from "#src/lib/streamed-answer.ts";
import { explainAnswer } from "#src/upstreams/explain-answer.ts";
import type { Upstream } from "#src/upstreams/upstream.ts";
import { toApiError } from "./relay-failure.ts";

// Requests about stored objects that this server itself sends, without a client.

export interface OwnRequest {
  method: "GET" | "POST" | "DELETE";
  /** Path and query below the API of the upstream. */
  path: string;
}

/** Sends a request with the credential of the upstream, once. Rejects if there is no answer. */
export function sendOwnRequest(
  upstream: Upstream,
  { method, path }: OwnRequest,
  bounds: StreamedBounds,
): Promise<StreamedAnswer> {
  const { objects, credential, basePath } = upstream;
  if (objects === null) return Promise.reject(new Error("the upstream stores no objects"));
  const headers = FieldLines.fromList(["anthropic-version", "2023-06-01"]);
  headers.add("accept", "*/*");
  headers.add("accept-encoding", "identity");
  if (credential !== null) headers.add("x-api-key", credential);
  const request = { headers, body: null, bodyBytes: null, headersTimeoutMs: null };
  return requestStreamed(objects, { ...request, method, path: basePath + path }, bounds);
}

/** Longest silence of an upstream during a call of the Admin API, milliseconds. */
const WITHIN_MS = 15_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Sends a change that a call of the Admin API asks for, once. Null: the upstream does not know the object. Throws the error
 * for the caller.
 */
export async function sendChange(upstream: Upstream, request: OwnRequest): Promise<Buffer | null> {
  let isSent = false;
  try {
    const answer = await sendOwnRequest(upstream, request, {
      silenceMs: WITHIN_MS,
      signal: AbortSignal.timeout(WITHIN_MS),
      onSent: () => {
        isSent = true;
      },
    });
    const body = await readWhole(answer, MAX_ANSWER_BYTES);
    if (answer.status >= 200 && answer.status < 300) return body;
    if (answer.status === 404) return null;
    throw new ApiError("upstream_refused", explainAnswer(upstream, answer.status, body));
  } catch (error) {
    throw toApiError(error, isSent);
  }
}
