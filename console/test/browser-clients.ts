import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

// Calls of official SDKs, for a page of another origin. The page has them as `callFromPage`.

/** Server and key of a call. */
export interface PageAccess {
  url: string;
  key: string;
}

export interface PageAnswer {
  text: string;
  requestId: string | null;
  /** Remaining requests of the rate limit. Null: the page cannot read the field. */
  remaining: string | null;
}

/** Error that the SDK threw. */
export interface PageError {
  name: string;
  status: number | null;
  code: string | null;
  requestId: string | null;
}

const MODEL = "claude-sonnet-5";
const message = {
  model: MODEL,
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "Hello, Claude" }],
};
/** The OpenAI SDK does not state the risk itself. */
const STATED = { "anthropic-dangerous-direct-browser-access": "true" };

const openAnthropic = ({ url, key }: PageAccess, credential: "apiKey" | "authToken") =>
  new Anthropic({
    ...{ baseURL: url, apiKey: null, authToken: null, maxRetries: 0 },
    [credential]: key,
    dangerouslyAllowBrowser: true,
  });

const openOpenAi = ({ url, key }: PageAccess) =>
  new OpenAI({
    ...{ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, defaultHeaders: STATED },
    dangerouslyAllowBrowser: true,
  });

async function sendMessage(client: Anthropic): Promise<PageAnswer> {
  const { data, response, request_id } = await client.messages.create(message).withResponse();
  const text = data.content.map((block) => (block.type === "text" ? block.text : "")).join("");
  const remaining = response.headers.get("anthropic-ratelimit-requests-remaining");
  return { text, requestId: request_id ?? null, remaining };
}

const calls = {
  apiKey: (access: PageAccess) => sendMessage(openAnthropic(access, "apiKey")),
  authToken: (access: PageAccess) => sendMessage(openAnthropic(access, "authToken")),
  stream: async (access: PageAccess) => {
    const stream = openAnthropic(access, "apiKey").messages.stream(message);
    const text = await stream.finalText();
    const remaining =
      stream.response?.headers.get("anthropic-ratelimit-requests-remaining") ?? null;
    return { text, requestId: stream.request_id ?? null, remaining };
  },
  completion: async (access: PageAccess) => {
    const call = openOpenAi(access).chat.completions.create(message);
    const { data, response, request_id } = await call.withResponse();
    return {
      text: data.choices[0]?.message.content ?? "",
      requestId: request_id,
      remaining: response.headers.get("x-ratelimit-remaining-requests"),
    };
  },
  completionStream: async (access: PageAccess) => {
    const call = openOpenAi(access).chat.completions.create({ ...message, stream: true });
    const { data, response, request_id } = await call.withResponse();
    let text = "";
    for await (const { choices } of data) text += choices[0]?.delta.content ?? "";
    const remaining = response.headers.get("x-ratelimit-remaining-requests");
    return { text, requestId: request_id, remaining };
  },
} satisfies Record<string, (access: PageAccess) => Promise<PageAnswer>>;

export type PageCall = keyof typeof calls;

async function callFromPage(name: PageCall, access: PageAccess): Promise<PageAnswer | PageError> {
  try {
    return await calls[name](access);
  } catch (error) {
    if (error instanceof Anthropic.APIError) {
      const { error: body } = error as {
        error?: { error?: { details?: { error_code?: string } } };
      };
      const code = body?.error?.details?.error_code ?? null;
      return describe(error, code, error.requestID);
    }
    if (error instanceof OpenAI.APIError) return describe(error, error.code, error.requestID);
    throw error;
  }
}

function describe(
  error: Error & { status: number | undefined },
  code: string | null | undefined,
  requestId: string | null | undefined,
): PageError {
  // The bundle numbers classes of one name.
  const name = error.constructor.name.replace(/\$\d+$/, "");
  return { name, status: error.status ?? null, code: code ?? null, requestId: requestId ?? null };
}

Object.assign(globalThis, { callFromPage });
