import { type Exchange, messageEvents, messageJson, type Received } from "../fake-upstream.ts";
import { toChunkFrame, toExceptionFrame } from "./aws-frames.ts";
import { type AccessKey, findSignatureFault } from "./aws-signature.ts";
import { startPlatform, type TestPlatform } from "./start-platform.ts";

// Bedrock's runtime on loopback: checks each signature and each body as the service does, and answers in its own framing.

/** Request that the platform accepted. */
export interface BedrockRequest {
  modelId: string;
  action: "invoke" | "invoke-with-response-stream" | "count-tokens";
  body: Record<string, unknown>;
  received: Received;
}

export type BedrockAnswer =
  | { kind: "message"; message: object }
  /** Official texts of events. Pieces: the stream is sent in pieces of this many bytes. */
  | { kind: "events"; events: readonly string[]; pieceBytes?: number; exception?: [string, string] }
  | { kind: "count"; tokens: number }
  | {
      kind: "error";
      status: number;
      exception: string;
      message: string;
      headers?: Record<string, string>;
    }
  /** A stream that stays open until the client leaves. */
  | { kind: "endless"; events: readonly string[]; onCut: () => void }
  | { kind: "script"; run: (exchange: Exchange) => void | Promise<void> };

export interface BedrockPlatform extends TestPlatform<BedrockRequest> {
  answer: (request: BedrockRequest) => BedrockAnswer;
}

interface BedrockAccount {
  keys?: readonly AccessKey[];
  apiKeys?: readonly string[];
  region: string;
  nowMs?: () => number;
}

const PATH = /^\/model\/([^/]+)\/(invoke|invoke-with-response-stream|count-tokens)$/;
const knownFields = new Set([
  "anthropic_version",
  "anthropic_beta",
  "max_tokens",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "stop_sequences",
  "temperature",
  "top_p",
  "top_k",
  "metadata",
  "cache_control",
  "context_management",
  "fallback_credit_token",
]);
/** Betas of InvokeModel, by AWS's page "Anthropic Claude Messages API" and by Claude Code, which sends them to Bedrock. */
const knownBetas = new Set([
  "computer-use-2025-01-24",
  "computer-use-2025-11-24",
  "token-efficient-tools-2025-02-19",
  "output-128k-2025-02-19",
  "dev-full-thinking-2025-05-14",
  "interleaved-thinking-2025-05-14",
  "fine-grained-tool-streaming-2025-05-14",
  "context-1m-2025-08-07",
  "context-management-2025-06-27",
  "effort-2025-11-24",
  "tool-search-tool-2025-10-19",
  "tool-examples-2025-10-29",
  "compact-2026-01-12",
  "fallback-credit-2026-07-01",
  "thinking-token-count-2026-05-13",
]);

export async function startBedrockPlatform(account: BedrockAccount): Promise<BedrockPlatform> {
  const platform: BedrockPlatform = {
    ...(await startPlatform<BedrockRequest>({
      findCredentialFault: (received) => findCredentialFault(account, received),
      readRequest,
      refuse: sendRefusal,
      answer: (exchange, request) => send(exchange, platform.answer(request)),
    })),
    answer: answerAsUsual,
  };
  return platform;
}

function sendRefusal(
  exchange: Exchange,
  { isCredential, fault }: { isCredential: boolean; fault: string },
): void {
  if (isCredential) {
    const message = "User: arn:aws:iam::123456789012:user/gateway is not authorized";
    sendError(exchange, { status: 403, exception: fault.split(" ")[0] ?? "", message });
  } else {
    sendError(exchange, { status: 400, exception: "ValidationException", message: fault });
  }
}

function answerAsUsual({ action }: BedrockRequest): BedrockAnswer {
  if (action === "count-tokens") return { kind: "count", tokens: 12 };
  if (action === "invoke") return { kind: "message", message: messageJson() };
  return { kind: "events", events: messageEvents() };
}

function findCredentialFault(account: BedrockAccount, received: Received): string | null {
  const { authorization = "" } = received.headers;
  if (authorization.startsWith("Bearer ")) {
    const isKnown = account.apiKeys?.includes(authorization.slice("Bearer ".length)) === true;
    return isKnown ? null : "AccessDeniedException";
  }
  return findSignatureFault(received, {
    keys: account.keys ?? [],
    region: account.region,
    service: "bedrock",
    nowMs: account.nowMs?.() ?? Date.now(),
  });
}

/** Returns the request, or the message of its refusal. */
function readRequest(received: Received): BedrockRequest | string {
  const path = PATH.exec(received.url);
  if (received.method !== "POST" || path === null) return `no operation ${received.url}`;
  if (received.headers["content-type"] !== "application/json") return "content type is not JSON";
  const modelId = decodeURIComponent(path[1] ?? "");
  const action = path[2] as BedrockRequest["action"];
  if (!/^(arn:|([a-z-]+\.)?anthropic\.)/.test(modelId))
    return "The provided model identifier is invalid.";
  let body = JSON.parse(received.body.toString()) as Record<string, unknown>;
  if (action === "count-tokens") {
    const { input } = body as { input?: { invokeModel?: { body?: string } } };
    body = JSON.parse(Buffer.from(input?.invokeModel?.body ?? "", "base64").toString());
  }
  if (body["anthropic_version"] !== "bedrock-2023-05-31") return "anthropic_version: invalid";
  if (typeof body["max_tokens"] !== "number") return "max_tokens: Field required";
  const unknown = Object.keys(body).find((field) => !knownFields.has(field));
  if (unknown !== undefined) return `${unknown}: Extra inputs are not permitted`;
  const betas = (body["anthropic_beta"] ?? []) as string[];
  if (betas.some((beta) => !knownBetas.has(beta))) return "invalid beta flag";
  return { modelId, action, body, received };
}

const FRAMES_TYPE = "application/vnd.amazon.eventstream";
const REQUEST_ID = "5f0c8b5e-0000-4000-8000-000000000001";

async function send(exchange: Exchange, answer: BedrockAnswer): Promise<void> {
  const headers = { "x-amzn-requestid": REQUEST_ID };
  switch (answer.kind) {
    case "message":
      exchange.response.setHeaders(new Headers(headers));
      exchange.response.setHeader("content-type", "application/json");
      exchange.response.end(JSON.stringify(answer.message));
      return;
    case "count":
      exchange.response.setHeaders(new Headers(headers));
      exchange.response.setHeader("content-type", "application/json");
      exchange.response.end(JSON.stringify({ inputTokens: answer.tokens }));
      return;
    case "error":
      sendError(exchange, answer);
      return;
    case "endless":
      exchange.response.writeHead(200, { "content-type": FRAMES_TYPE, ...headers });
      await exchange.write(
        Buffer.concat(answer.events.map((event) => toChunkFrame(dataOf(event)))),
      );
      await exchange.closed;
      answer.onCut();
      return;
    case "script":
      await answer.run(exchange);
      return;
    case "events": {
      exchange.response.writeHead(200, {
        "content-type": FRAMES_TYPE,
        ...headers,
      });
      const frames = answer.events.map((event) => toChunkFrame(dataOf(event)));
      if (answer.exception !== undefined) frames.push(toExceptionFrame(...answer.exception));
      const bytes = Buffer.concat(frames);
      const step = answer.pieceBytes ?? bytes.length;
      for (let at = 0; at < bytes.length; at += step) {
        await exchange.write(bytes.subarray(at, at + step));
      }
      exchange.end();
    }
  }
}

function sendError(
  { response }: Exchange,
  {
    status,
    exception,
    message,
    headers = {},
  }: Omit<Extract<BedrockAnswer, { kind: "error" }>, "kind">,
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "x-amzn-errortype": exception,
    "x-amzn-requestid": REQUEST_ID,
    ...headers,
  });
  response.end(JSON.stringify({ message }));
}

/** The JSON of the text of an official event. */
function dataOf(event: string): string {
  return /^data: (.*)$/m.exec(event)?.[1] ?? "{}";
}
