import type { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Conversation, makeHeaders, makeTitleBody } from "./agent-body.ts";
import { between, sample } from "./plan-answer.ts";
import { type Attempt, sendRequest } from "./send-request.ts";

// One developer with Claude Code: prompts, tool calls and their results, until the limit is spent. A refusal ends the
// conversation after the attempts of the client, and the developer begins a new one. The session ends when the first request
// of a conversation is refused for good.

export interface SessionDeps {
  url: string;
  /** Headers with the credential. */
  credential: Record<string, string>;
  sessionId: string;
  random: () => number;
  agent: Agent;
  /** Maximum number of attempts of a request, as in Claude Code. */
  maxAttempts: number;
  /** Ends the session after its running request. */
  signal: AbortSignal;
}

/** A request with all its attempts. */
export interface SessionRequest {
  kind: "main" | "title";
  sessionId: string;
  /** True: the first request of a conversation. */
  isFirst: boolean;
  attempts: Attempt[];
}

const TOOL_MS = { median: 900, spread: 1 };
const PROMPT_MS: readonly [number, number] = [1_500, 6_000];
const RESULT_BYTES = { median: 1_800, spread: 1.2 };
const MOST_RESULT_BYTES = 30_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 32_000;
const RETRIED_STATUSES = new Set([408, 409, 429]);

/** Runs a session to its end. Adds each request to `requests` once it has ended. */
export async function runSession(deps: SessionDeps, requests: SessionRequest[]): Promise<void> {
  while (!deps.signal.aborted) {
    if (await isRefusedAtStart(deps, requests)) return;
  }
}

/** Runs a conversation. True: its first request was refused, and a repetition is futile. */
async function isRefusedAtStart(deps: SessionDeps, requests: SessionRequest[]): Promise<boolean> {
  const conversation = new Conversation(deps.sessionId);
  let answered = 0;
  let isFutile = false;
  const title = send(deps, { kind: "title", isFirst: true }, makeTitleBody(deps.sessionId));
  void title.then((request) => requests.push(request));
  while (!deps.signal.aborted) {
    const about = { kind: "main", isFirst: answered === 0 } as const;
    const request = await send(deps, about, conversation.toBody());
    requests.push(request);
    const last = request.attempts.at(-1);
    isFutile = last !== undefined && last.status !== 200 && !isRetried(last);
    if (last?.status !== 200) break;
    answered += 1;
    await addNext(deps, conversation, last);
  }
  await title;
  return answered === 0 && isFutile;
}

/** Adds the answer, and the result of its tool call or the next prompt, after the time that both take. */
async function addNext(
  { random, signal }: SessionDeps,
  conversation: Conversation,
  { isComplete, content }: Attempt,
): Promise<void> {
  const tool = (content as { type?: string; id?: string }[]).find(
    ({ type }) => type === "tool_use",
  );
  const isToolCall = isComplete && tool?.id !== undefined;
  const pauseMs = isToolCall ? sample(TOOL_MS, random) : between(PROMPT_MS, random);
  await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  // A cut answer is discarded, and the developer repeats the prompt.
  if (!isComplete) return;
  conversation.addAnswer(content);
  if (!isToolCall) conversation.addPrompt();
  else {
    const bytes = Math.min(MOST_RESULT_BYTES, sample(RESULT_BYTES, random));
    conversation.addToolResult(tool.id ?? "", bytes);
  }
}

/** Sends a request, and repeats it as the client does. */
async function send(
  deps: SessionDeps,
  about: Pick<SessionRequest, "kind" | "isFirst">,
  body: object,
): Promise<SessionRequest> {
  const { url, credential, sessionId, agent, signal, random } = deps;
  const headers = { ...makeHeaders(sessionId), ...credential };
  const attempts: Attempt[] = [];
  while (attempts.length < deps.maxAttempts) {
    const attempt = await sendRequest({ url, headers, body, agent });
    attempts.push(attempt);
    if (signal.aborted || !isRetried(attempt)) break;
    const ownMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts.length - 1));
    const pauseMs = attempt.retryAfterS === null ? ownMs : attempt.retryAfterS * 1_000;
    await sleep(pauseMs * (1 + random() / 4), undefined, { signal }).catch(() => undefined);
  }
  return { ...about, sessionId, attempts };
}

function isRetried({ status, shouldRetry }: Attempt): boolean {
  if (status === null) return true;
  if (shouldRetry !== null) return shouldRetry;
  return RETRIED_STATUSES.has(status) || status >= 500;
}
