import { ApiError, AwayError, type ErrorBody } from "../../api-client.ts";
import type { MessageRequest } from "../../kit/code-samples/message-request.ts";
import { readEvents } from "./read-events.ts";

// The console's only caller of the Claude API. The call has a key, like those of all programs, and omits the session
// cookie, which the Claude API does not read.

export interface CallOptions {
  key: string;
  request: MessageRequest;
  signal: AbortSignal;
  /** Receives the request id when the response begins. */
  onRequest: (requestId: string) => void;
  /** Receives the next text of the response. */
  onText: (text: string) => void;
}

/**
 * Sends the request, and passes on the text of the response as it arrives. Returns the stop reason. Throws an ApiError for
 * a refusal, also inside a stream, and an AwayError without a response.
 */
export async function callClaude(options: CallOptions): Promise<string | null> {
  const { request, signal, onRequest } = options;
  const response = await send(options);
  const requestId = response.headers.get("bursar-request-id");
  if (!response.ok) throw await toError(response);
  if (requestId !== null) onRequest(requestId);
  try {
    return request.stream
      ? await readStream(response, options)
      : await readFullResponse(response, options);
  } catch (error) {
    if (signal.aborted || error instanceof ApiError) throw error;
    throw new AwayError("The connection was lost before the response ended.");
  }
}

async function send({ key, request, signal }: CallOptions): Promise<Response> {
  try {
    return await fetch("/v1/messages", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "x-api-key": key,
      },
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      body: JSON.stringify(request),
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new AwayError(
      "The server does not answer. Your message is not lost: try again in a moment.",
    );
  }
}

async function toError(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as ErrorBody | null;
  return makeError(response, body);
}

function makeError(response: Response, body: ErrorBody | null): ApiError {
  const requestId = response.headers.get("bursar-request-id") ?? response.headers.get("request-id");
  const retryAfter = response.headers.get("retry-after");
  return new ApiError(response.status, body, { requestId, retryAfter });
}

interface StreamEvent extends ErrorBody {
  type: string;
  delta?: { type?: string; text?: string; stop_reason?: string | null };
}

async function readStream(response: Response, { onText }: CallOptions): Promise<string | null> {
  if (response.body === null) return null;
  let stopReason: string | null = null;
  for await (const data of readEvents(response.body)) {
    const event = JSON.parse(data) as StreamEvent;
    if (event.type === "error") throw makeError(response, event);
    if (event.delta?.type === "text_delta" && event.delta.text) onText(event.delta.text);
    if (event.type === "message_delta") stopReason = event.delta?.stop_reason ?? null;
  }
  return stopReason;
}

interface FullResponse {
  content: readonly { type: string; text?: string }[];
  stop_reason: string | null;
}

async function readFullResponse(
  response: Response,
  { onText }: CallOptions,
): Promise<string | null> {
  const { content, stop_reason } = (await response.json()) as FullResponse;
  onText(content.map((block) => block.text ?? "").join(""));
  return stop_reason;
}
