import { Agent } from "node:http";
import { seededRandom } from "../../server/test/harness/seeded-random.ts";
import { AGENT_MODEL } from "./agent-body.ts";
import { sample } from "./plan-answer.ts";
import { type Attempt, sendRequest } from "./send-request.ts";
import { takeWords } from "./timeline.ts";

// Streams of a program that lets Opus search the web. Each search calls the model again with the whole prompt.

export interface SearchesOptions {
  requests: number;
  concurrent: number;
  seed: number;
  /** True: the system prompt has a cache mark of one hour. */
  isCached: boolean;
}

const MAX_TOKENS = 128_000;
const WEB_SEARCH = { type: "web_search_20250305", name: "web_search" };
const PROMPT_BYTES = { median: 24_000, spread: 1 };
const MOST_PROMPT_BYTES = 600_000;
const QUESTION = "Which of these invoices are late, and what do the suppliers say about them?";

/** Sends all requests, some of them at once. */
export async function runSearches(
  target: { url: string; key: string },
  { requests, concurrent, seed, isCached }: SearchesOptions,
): Promise<Attempt[]> {
  const random = seededRandom(seed);
  const agent = new Agent({ keepAlive: true, maxSockets: concurrent });
  const attempts: Attempt[] = [];
  let sent = 0;
  const headers = {
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "x-api-key": target.key,
  };
  const sendAll = async () => {
    while (sent < requests) {
      sent += 1;
      const body = makeSearchBody({ seed, at: sent, isCached }, random);
      attempts.push(await sendRequest({ url: target.url, headers, body, agent }));
    }
  };
  await Promise.all(Array.from({ length: concurrent }, sendAll));
  agent.destroy();
  return attempts;
}

/** Body of the request number `at`. */
export function makeSearchBody(
  { seed, at, isCached }: { seed: number; at: number; isCached: boolean },
  random: () => number,
): object {
  const bytes = Math.min(MOST_PROMPT_BYTES, sample(PROMPT_BYTES, random));
  const prompt = `${seed} ${at} ${takeWords(at, bytes)}`;
  const mark = isCached && { cache_control: { type: "ephemeral", ttl: "1h" } };
  return {
    model: AGENT_MODEL,
    max_tokens: MAX_TOKENS,
    system: [{ type: "text", text: prompt, ...mark }],
    tools: [WEB_SEARCH],
    messages: [{ role: "user", content: QUESTION }],
    stream: true,
  };
}
