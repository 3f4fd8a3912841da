import { type Exchange, messageEvents, messageJson, type Received } from "../fake-upstream.ts";
import { startPlatform, type TestPlatform } from "./start-platform.ts";

// A platform on loopback that serves the Messages API under `/anthropic`, as Microsoft Foundry and `bedrock-mantle` do.

export interface MessagesRequest {
  operation: "messages" | "messages/count_tokens";
  body: Record<string, unknown>;
  received: Received;
}

/** A request for files or skills. */
interface ObjectRequest {
  operation: "files" | "skills";
  received: Received;
}

export interface MessagesPlatform extends Omit<TestPlatform<object>, "requests"> {
  /** Requests for messages and counts. */
  requests: MessagesRequest[];
  /** Stored files and skills by id: the bytes of their uploads. */
  objects: Map<string, Buffer>;
  answer: (exchange: Exchange, request: MessagesRequest) => void | Promise<void>;
}

interface MessagesAccount {
  /** Returns the fault of the credential. Null: it is valid. */
  findCredentialFault: (received: Received) => string | null;
  /** Names that `model` can have. */
  deployments: readonly string[];
}

const PATH =
  /^\/anthropic\/v1\/(?:(messages(?:\/count_tokens)?)$|(files|skills)(?:\/(\w+))?(?:\/content)?(?:\?|$))/;
const NO_DEPLOYMENT = "The API deployment for this resource does not exist.";

export async function startMessagesPlatform(account: MessagesAccount): Promise<MessagesPlatform> {
  const requests: MessagesRequest[] = [];
  const objects = new Map<string, Buffer>();
  const platform: MessagesPlatform = {
    ...(await startPlatform<MessagesRequest | ObjectRequest>({
      findCredentialFault: account.findCredentialFault,
      readRequest: (received) => readRequest(received, account.deployments),
      refuse: (exchange, { isCredential, fault }) => {
        const status = isCredential ? 401 : fault === "no version" ? 400 : 404;
        sendAzureError(exchange, status, fault);
      },
      answer: (exchange, request) => {
        if (!("body" in request)) return answerObjects(exchange, request.operation, objects);
        requests.push(request);
        return platform.answer(exchange, request);
      },
    })),
    ...{ requests, objects, answer: answerAsUsual },
  };
  return platform;
}

function readRequest(
  received: Received,
  deployments: readonly string[],
): MessagesRequest | ObjectRequest | string {
  const path = PATH.exec(received.url);
  if (path === null) return `no operation ${received.url}`;
  if (received.headers["anthropic-version"] === undefined) return "no version";
  const [, operation, kind] = path;
  if (operation === undefined) return { operation: kind as ObjectRequest["operation"], received };
  const body = JSON.parse(received.body.toString()) as Record<string, unknown>;
  if (!deployments.includes(String(body["model"]))) return NO_DEPLOYMENT;
  return { operation: operation as MessagesRequest["operation"], body, received };
}

function sendAzureError(exchange: Exchange, status: number, message: string): void {
  exchange.json({ error: { code: String(status), message } }, { status });
}

/** Uploads, reads and deletes files and skills in the official form, with the errors of Azure. */
function answerObjects(
  exchange: Exchange,
  kind: ObjectRequest["operation"],
  objects: Map<string, Buffer>,
): void {
  const { method, url, body } = exchange.received;
  const one = kind === "files" ? "file" : "skill";
  const [, , , id] = PATH.exec(url) ?? [];
  const stored = objects.get(id ?? "");
  if (id === published.id) {
    exchange.json(published);
  } else if (method === "GET" && id === undefined && kind === "skills") {
    exchange.json({ data: [published], has_more: false, next_page: null });
  } else if (method === "POST" && id === undefined) {
    const made = `${one}_foundry_${objects.size + 1}`;
    objects.set(made, body);
    exchange.json(describers[kind](made, body));
  } else if (id === undefined || stored === undefined) {
    sendAzureError(exchange, 404, `No such ${one}`);
  } else if (method === "DELETE") {
    objects.delete(id);
    exchange.json({ id, type: `${one}_deleted` });
  } else {
    exchange.json(describers[kind](id, stored));
  }
}

const createdAt = "2026-11-30T00:00:00Z";
const describers = {
  files: (id: string, { length }: Buffer) => ({
    ...{ type: "file", id, filename: "a.txt", mime_type: "text/plain", size_bytes: length },
    ...{ created_at: createdAt, downloadable: false },
  }),
  skills: (id: string) => ({
    ...{ type: "skill", id, display_title: "Count words", source: "custom", latest_version: "1" },
    ...{ created_at: createdAt, updated_at: createdAt },
  }),
};
/** Skill that the provider publishes for everyone. */
const published = { ...describers.skills("pdf"), display_title: "PDF", source: "anthropic" };

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
