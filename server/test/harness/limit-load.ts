import { setTimeout as delay } from "node:timers/promises";
import { makePriceBook } from "#src/domain/price-book.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import { parseMessage } from "#src/gateway/parse-message.ts";
import {
  type Exchange,
  messageEnd,
  messageJson,
  messageStart,
  textDelta,
} from "./fake-upstream.ts";

// Requests that programs send under a strict limit, and the amounts that the upstream bills. Each request has a model
// name of its own (an unknown snapshot at the price of its model), so that no two can be confused. Its true cost is
// decided before it is sent.

/** nano-USD per token, as in the price list. Written here again, so that a wrong price is not compared with itself. */
const MODELS = [
  { name: "claude-haiku-4-5", input: 1_000n, output: 5_000n },
  { name: "claude-sonnet-4-5", input: 3_000n, output: 15_000n },
  { name: "claude-opus-4-5", input: 5_000n, output: 25_000n },
] as const;
const MAX_TOKENS = [32, 100, 250];
const THINKING = { maxTokens: 1_300, budgetTokens: 1_024 };
const MOST_INPUT_TOKENS = 1_000;
const STREAM_PARTS = 6;
/** Pause after a busy limit, milliseconds. After a spent limit the client checks only from time to time. */
const BUSY_PAUSE_MS = 200;
const REFUSED_PAUSE_MS = 800;

export interface Planned {
  name: string;
  round: number;
  body: Buffer;
  isStream: boolean;
  /** Whether the client aborts in the middle. */
  isAborted: boolean;
  usage: { input_tokens: number; output_tokens: number };
  answerMs: number;
  inputNanoUsd: bigint;
  /** Amount that the upstream bills for the complete response. */
  costNanoUsd: bigint;
  holdNanoUsd: bigint;
  /** Whether a token count makes its hold small enough to fit. */
  isCounted: boolean;
  node: number;
  /** Start of the request on the monotonic clock. */
  sentAtMs: number;
  /** Time of the complete response on the monotonic clock. */
  completedAtMs: number | null;
  status: number | null;
}

export interface Refused {
  status: number;
  text: string;
}

export interface LimitLoad {
  random: () => number;
  sent: Map<string, Planned>;
  refused: Refused[];
}

const book = makePriceBook([]);

/** Plans the next request. All its values follow from the seed and its number. */
export function planRequest({ random, sent }: LimitLoad, round: number): Planned {
  const pick = <T>(values: readonly [T, ...T[]] | readonly T[]): T =>
    values[Math.floor(random() * values.length)] as T;
  const model = pick(MODELS);
  const name = `${model.name}-20${String(sent.size).padStart(6, "0")}`;
  const isThinking = random() < 0.15;
  const isStream = random() < 0.5;
  const maxTokens = isThinking ? THINKING.maxTokens : pick(MAX_TOKENS);
  const thinking = { type: "enabled", budget_tokens: THINKING.budgetTokens };
  const body = Buffer.from(
    JSON.stringify({
      model: name,
      max_tokens: maxTokens,
      stream: isStream,
      messages: [{ role: "user", content: "Add up the invoices of this month." }],
      ...(isThinking && { thinking }),
    }),
  );
  const share = random() < 0.2 ? 1 : random() * 0.3;
  const usage = {
    input_tokens: 10 + Math.floor(share * MOST_INPUT_TOKENS),
    output_tokens: Math.max(20, Math.floor(share * maxTokens)),
  };
  const inputNanoUsd = BigInt(usage.input_tokens) * model.input;
  return {
    name,
    round,
    body,
    isStream,
    isAborted: random() < 0.08,
    usage,
    answerMs: 100 + random() * 900,
    inputNanoUsd,
    costNanoUsd: inputNanoUsd + BigInt(usage.output_tokens) * model.output,
    holdNanoUsd: computeWorstCost(parseMessage(body), book, Date.now()).nanoUsd,
    isCounted: false,
    node: -1,
    sentAtMs: 0,
    completedAtMs: null,
    status: null,
  };
}

/** Sends one request after the other, to any node, until stopped. */
export async function sendUntilStopped(
  load: LimitLoad,
  client: { round: number; key: string; urls: readonly (() => string)[]; signal: AbortSignal },
): Promise<void> {
  while (!client.signal.aborted) {
    const planned = planRequest(load, client.round);
    load.sent.set(planned.name, planned);
    planned.node = Math.floor(load.random() * client.urls.length);
    planned.sentAtMs = performance.now();
    const url = client.urls[planned.node]?.() ?? "";
    try {
      await sendPlanned(load, planned, url, client.key);
    } catch {
      // The node has ended, or the client has aborted.
      await delay(BUSY_PAUSE_MS);
    }
    if (planned.status === 429) await delay(BUSY_PAUSE_MS);
    else if (planned.status !== 200) await delay(REFUSED_PAUSE_MS);
  }
}

/** Sends a planned request. Throws if the node ends or the client aborts. */
export async function sendPlanned(
  load: LimitLoad,
  planned: Planned,
  url: string,
  key: string,
): Promise<void> {
  const controller = new AbortController();
  const abortTimer = planned.isAborted
    ? setTimeout(() => controller.abort(), planned.answerMs / 2).unref()
    : undefined;
  try {
    const response = await fetch(`${url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": key, "content-type": "application/json" },
      body: new Uint8Array(planned.body),
      signal: controller.signal,
    });
    planned.status = response.status;
    const text = await response.text();
    if (response.status === 200) planned.completedAtMs = performance.now();
    else load.refused.push({ status: response.status, text });
  } finally {
    clearTimeout(abortTimer);
  }
}

/** Responds as planned. Stops writing a stream whose client has aborted. */
export async function answerAsPlanned(load: LimitLoad, exchange: Exchange): Promise<void> {
  const planned = load.sent.get(modelOf(exchange.received.body));
  if (planned === undefined) {
    exchange.json(messageJson({ usage: { input_tokens: 10, output_tokens: 1 } }));
    return;
  }
  const { name, usage, answerMs } = planned;
  if (!isMessage(exchange.received)) {
    planned.isCounted = true;
    exchange.json({ input_tokens: usage.input_tokens });
    return;
  }
  if (!planned.isStream) {
    await delay(answerMs);
    exchange.json(messageJson({ usage, model: name }));
    return;
  }
  exchange.startStream();
  const start = messageStart({ ...usage, output_tokens: 1 });
  await exchange.write(start.replace(/"model":"[^"]*"/, `"model":"${name}"`));
  for (let part = 0; part < STREAM_PARTS; part++) {
    await delay(answerMs / STREAM_PARTS);
    if (exchange.isCut()) return;
    await exchange.write(textDelta("word "));
  }
  for (const event of messageEnd({ output_tokens: usage.output_tokens })) {
    if (exchange.isCut()) return;
    await exchange.write(event);
  }
  exchange.end();
}

/** Excludes token counts, which cost nothing and leave no record. */
export function isMessage({ url }: { url: string }): boolean {
  return new URL(url, "http://upstream").pathname === "/v1/messages";
}

export function modelOf(body: Buffer): string {
  const { model } = JSON.parse(body.toString("utf8")) as { model: string };
  return model;
}
