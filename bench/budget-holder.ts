// Workspaces, requests and limits that benchmarks with waiting clients share.
import { once } from "node:events";
import { type IncomingMessage, request as openRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallApi } from "../server/src/cli/local-api.ts";

export const PATH = "/v1/messages";
const PRICED_AS = "as-claude-sonnet-5";
/** A stream of half an hour. */
export const SLOW_MODEL = `simulate-words-2000-pace-1000-${PRICED_AS}`;
export const FAST_MODEL = `simulate-words-10-${PRICED_AS}`;
/** A request with these tokens can cost $0.40, so the limit has room for one. */
const MAX_TOKENS = 4_096;
export const TIGHT_LIMIT_USD = 0.6;
export const UNUSED_LIMIT_USD = 1_000_000;
const ACTIVATION_MS = 1_500;
const MOST_ATTEMPTS = 20;

export function makeHeaders(key: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "x-api-key": key,
  };
}

export function makeBody(request: { model: string; stream?: boolean }): string {
  const messages = [{ role: "user", content: "Sum up the report of this month. ".repeat(50) }];
  return JSON.stringify({ ...request, max_tokens: MAX_TOKENS, messages });
}

/** Secret of a new key in a new workspace with a strict monthly limit. */
export async function createKey(callApi: CallApi, name: string, limitUsd: number): Promise<string> {
  const workspace = (await callApi("POST", "/v1/admin/workspaces", { name })) as { id: string };
  await callApi("POST", "/v1/admin/workspaces/limits", {
    workspace_id: workspace.id,
    monthly_limit_usd: limitUsd,
  });
  const key = { name, workspace_id: workspace.id, permissions: ["write"] };
  return ((await callApi("POST", "/v1/admin/api_keys", key)) as { key: string }).key;
}

/** Starts the stream that holds the limit of the waiting workspace. Its end would end the wait of one client. */
export async function holdBudget(
  port: number,
  key: string,
  body = makeBody({ model: SLOW_MODEL, stream: true }),
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const sent = openRequest({ port, path: PATH, method: "POST", headers: makeHeaders(key) });
    sent.end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    if (response.statusCode === 200) return void response.on("error", () => undefined).resume();
    const text = Buffer.concat(await response.toArray()).toString();
    if (attempt === MOST_ATTEMPTS) throw new Error(text);
    await sleep(ACTIVATION_MS); // a new limit becomes active within some seconds
  }
}
