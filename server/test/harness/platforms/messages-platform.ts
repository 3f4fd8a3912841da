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
  /** Stored files by id: their bytes as they came. */
  files: Map<string, Buffer>;
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
    files: new Map(),
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
    if (received.url.startsWith("/anthropic/v1/files")) {
      answerFiles(exchange, platform.files);
      return;
    }
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

/** Uploads, reads and deletes files in the official form, with the errors of Azure. */
function answerFiles(exchange: Exchange, files: Map<string, Buffer>): void {
  const { method, url, body } = exchange.received;
  if (method === "POST") {
    const id = `file_foundry_${files.size + 1}`;
    files.set(id, body);
    exchange.json(toFile(id, body));
    return;
  }
  const [, id = ""] = /^\/anthropic\/v1\/files\/(\w+)/.exec(url) ?? [];
  const stored = files.get(id);
  if (stored === undefined) {
    exchange.json({ error: { code: "404", message: "No such file" } }, { status: 404 });
  } else if (method === "DELETE") {
    files.delete(id);
    exchange.json({ id, type: "file_deleted" });
  } else {
    exchange.json(toFile(id, stored));
  }
}

function toFile(id: string, { length }: Buffer) {
  const about = { filename: "a.txt", mime_type: "text/plain", size_bytes: length };
  return { type: "file", id, ...about, created_at: "2026-11-30T00:00:00Z", downloadable: false };
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
