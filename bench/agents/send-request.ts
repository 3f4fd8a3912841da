import { type Agent, type IncomingMessage, request as openRequest } from "node:http";
import { monotonicMs } from "../monotonic.ts";

// Sends one request, and reads its stream as an official client does.

export interface RequestToSend {
  url: string;
  headers: Record<string, string>;
  body: object;
  agent: Agent;
}

/** One attempt, and its end as the client saw it. */
export interface Attempt {
  sentAtMs: number;
  endedAtMs: number;
  /** Null: the connection failed before the response. */
  status: number | null;
  /** `error.type` and `error.details.error_code` of a refusal, or of an error event in the stream. */
  errorType: string | null;
  errorCode: string | null;
  errorText: string;
  /** `x-should-retry`. */
  shouldRetry: boolean | null;
  retryAfterS: number | null;
  /** True: `message_stop` arrived. */
  isComplete: boolean;
  messageId: string | null;
  content: object[];
  stopReason: string | null;
}

const PATH = "/v1/messages?beta=true";
const MAX_ERROR_CHARS = 2_000;

interface WireEvent {
  type?: string;
  index?: number;
  message?: { id?: string };
  content_block?: Block;
  delta?: {
    text?: string;
    partial_json?: string;
    signature?: string;
    stop_reason?: string | null;
  };
  error?: { type?: string; message?: string; details?: { error_code?: string } };
}

interface Block {
  type?: string;
  text?: string;
  input?: unknown;
  signature?: string;
}

export function sendRequest(sent: RequestToSend): Promise<Attempt> {
  const body = Buffer.from(JSON.stringify(sent.body));
  const attempt: Attempt = {
    sentAtMs: monotonicMs(),
    endedAtMs: 0,
    status: null,
    errorType: null,
    errorCode: null,
    errorText: "",
    shouldRetry: null,
    retryAfterS: null,
    isComplete: false,
    messageId: null,
    content: [],
    stopReason: null,
  };
  return new Promise((resolve) => {
    const end = (error?: Error) => {
      if (attempt.endedAtMs !== 0) return;
      if (error !== undefined) attempt.errorText ||= error.message;
      attempt.endedAtMs = monotonicMs();
      resolve(attempt);
    };
    const { agent } = sent;
    const headers = { ...sent.headers, "content-length": body.length };
    const options = { method: "POST", headers, agent };
    const call = openRequest(`${sent.url}${PATH}`, options, (response) => {
      readResponse(attempt, response, end);
    });
    call.on("error", end);
    // A connection that ends within a response has no other event in some cases.
    call.on("close", () => end());
    call.end(body);
  });
}

function readResponse(
  attempt: Attempt,
  response: IncomingMessage,
  end: (error?: Error) => void,
): void {
  const { headers } = response;
  attempt.status = response.statusCode ?? null;
  const retryAfter = Number(headers["retry-after"]);
  attempt.retryAfterS = Number.isFinite(retryAfter) ? retryAfter : null;
  const shouldRetry = headers["x-should-retry"];
  attempt.shouldRetry = shouldRetry === undefined ? null : shouldRetry === "true";
  const reader = new AnswerReader(attempt);
  const isStream = headers["content-type"]?.startsWith("text/event-stream") ?? false;
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    if (isStream) reader.push(chunk);
    else text += chunk;
  });
  response.on("error", end);
  response.on("end", () => {
    if (!isStream) reader.readJson(text);
    end();
  });
}

/** Collects the content of a response. */
class AnswerReader {
  readonly #attempt: Attempt;
  readonly #inputs = new Map<number, string>();
  #rest = "";

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  push(chunk: string): void {
    const events = (this.#rest + chunk).split("\n\n");
    this.#rest = events.pop() ?? "";
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) this.#read(JSON.parse(data) as WireEvent);
    }
  }

  readJson(text: string): void {
    const attempt = this.#attempt;
    attempt.errorText = attempt.status === 200 ? "" : text.slice(0, MAX_ERROR_CHARS);
    try {
      const message = JSON.parse(text) as WireEvent & { id?: string; content?: object[] };
      if (message.error !== undefined) this.#readError(message);
      else {
        attempt.messageId = message.id ?? null;
        attempt.content = message.content ?? [];
        attempt.isComplete = attempt.status === 200;
      }
    } catch {
      // A proxy can answer with a text.
    }
  }

  #read(event: WireEvent): void {
    const attempt = this.#attempt;
    const block = attempt.content[event.index ?? -1] as Block | undefined;
    switch (event.type) {
      case "message_start":
        attempt.messageId = event.message?.id ?? null;
        break;
      case "content_block_start":
        attempt.content[event.index ?? 0] = { ...event.content_block };
        break;
      case "content_block_delta":
        if (block !== undefined) this.#add(block, event);
        break;
      case "content_block_stop":
        this.#stop(block, event.index ?? -1);
        break;
      case "message_delta":
        attempt.stopReason = event.delta?.stop_reason ?? attempt.stopReason;
        break;
      case "message_stop":
        attempt.isComplete = true;
        break;
      case "error":
        this.#readError(event);
        break;
      default:
    }
  }

  #add(block: Block, { index = 0, delta = {} }: WireEvent): void {
    if (delta.text !== undefined) block.text = (block.text ?? "") + delta.text;
    if (delta.signature !== undefined) block.signature = (block.signature ?? "") + delta.signature;
    if (delta.partial_json === undefined) return;
    this.#inputs.set(index, (this.#inputs.get(index) ?? "") + delta.partial_json);
  }

  #stop(block: Block | undefined, index: number): void {
    const input = this.#inputs.get(index);
    if (block !== undefined && input !== undefined && input !== "") block.input = JSON.parse(input);
  }

  #readError({ error }: WireEvent): void {
    this.#attempt.errorType = error?.type ?? "unknown";
    this.#attempt.errorCode = error?.details?.error_code ?? null;
    this.#attempt.errorText = (error?.message ?? "").slice(0, MAX_ERROR_CHARS);
  }
}
