import {
  type Exchange,
  messageEvents,
  messageJson,
  type Received,
  startFakeUpstream,
} from "../fake-upstream.ts";

// A platform on loopback that serves the Messages API under `/anthropic`, as Microsoft Foundry and `bedrock-mantle` do.

export interface MessagesRequest {
  operation: "messages" | "messages/count_tokens";
  body: Record<string, unknown>;
  received: Received;
}

export interface MessagesPlatform {
  origin: string;
  requests: MessagesRequest[];
  /** Faults of refused requests. */
  refused: string[];
  answer: (exchange: Exchange, request: MessagesRequest) => void | Promise<void>;
  close(): Promise<void>;
}

interface MessagesAccount {
  /** Returns the fault of the credential. Null: it is valid. */
  findCredentialFault: (received: Received) => string | null;
  /** Names that `model` can have. */
  deployments: readonly string[];
}

export async function startMessagesPlatform(account: MessagesAccount): Promise<MessagesPlatform> {
  const upstream = await startFakeUpstream();
  const platform: MessagesPlatform = {
    origin: upstream.origin,
    requests: [],
    refused: [],
    answer: answerAsUsual,
    close: () => upstream.close(),
  };
  upstream.script = async (exchange) => {
    const { received } = exchange;
    const refuse = (fault: string, status: number) => {
      platform.refused.push(fault);
      exchange.json({ error: { code: String(status), message: fault } }, { status });
    };
    const fault = account.findCredentialFault(received);
    if (fault !== null) return refuse(fault, 401);
    const operation = /^\/anthropic\/v1\/(messages|messages\/count_tokens)$/.exec(
      received.url,
    )?.[1];
    if (operation === undefined) return refuse(`no operation ${received.url}`, 404);
    if (received.headers["anthropic-version"] === undefined) return refuse("no version", 400);
    const body = JSON.parse(received.body.toString()) as Record<string, unknown>;
    if (!account.deployments.includes(String(body["model"]))) {
      return refuse("The API deployment for this resource does not exist.", 404);
    }
    const request: MessagesRequest = {
      operation: operation as MessagesRequest["operation"],
      body,
      received,
    };
    platform.requests.push(request);
    await platform.answer(exchange, request);
  };
  return platform;
}

async function answerAsUsual(exchange: Exchange, { operation, body }: MessagesRequest) {
  if (operation !== "messages") exchange.json({ input_tokens: 12 });
  else if (body["stream"] === true) await exchange.stream(messageEvents());
  else exchange.json(messageJson());
}

/** Finds the fault of a key in `x-api-key`, or of a token. */
export function findKeyFault(
  { headers }: Received,
  accepted: { apiKey: string; token: string },
): string | null {
  if (headers["x-api-key"] !== undefined) {
    return headers["x-api-key"] === accepted.apiKey ? null : "wrong key";
  }
  return headers.authorization === `Bearer ${accepted.token}` ? null : "wrong token";
}
