import { setTimeout as sleep } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import {
  type Exchange,
  messageEnd,
  messageJson,
  messageStart,
  textDelta,
} from "../../server/test/harness/fake-upstream.ts";
import { monotonicMs } from "../monotonic.ts";

// Programs with the official SDK, which retries twice, behind a load balancer that leaves out a node once the node
// refuses a connection.

export interface LoadNode {
  name: string;
  port: number;
}

export interface SentRequest {
  /** Requested model, which marks the record of the request. */
  name: string;
  costNanoUsd: bigint;
}

/** Any address. The balancer replaces it. */
const BALANCER = "http://balancer.invalid";
const BASE_INPUT_TOKENS = 1_000;
const OUTPUT_TOKENS = 50;
const MODEL = "claude-haiku-4-5-20251001";
const INPUT_NANO_USD = 1_000n; // $1 and $5 per million tokens
const OUTPUT_NANO_USD = 5_000n;
const ANSWER_MS = 30;
const PAUSE_MS = 50;
const DRAIN_POLL_MS = 10;
const MOST_FAILURES = 20;

export class UpgradeLoad {
  readonly sent: SentRequest[] = [];
  readonly failures: string[] = [];
  /** Attempts that the SDK repeated, by reason. */
  readonly retries = new Map<string, number>();
  readonly responsesByNode = new Map<string, number>();
  /** Node of the running request of each program. */
  readonly #used: (LoadNode | null)[] = [];
  #slowestMs = 0;
  #nodes: LoadNode[] = [];
  #running: Promise<unknown> = Promise.resolve();
  #state: "new" | "running" | "stopped" = "new";

  /** Starts clients that share the keys. */
  start(clients: number, keys: readonly string[]): void {
    this.#state = "running";
    const runs = Array.from({ length: clients }, (_, at) =>
      this.#run(at, keys[at % keys.length] ?? ""),
    );
    this.#running = Promise.all(runs);
  }

  addNode(node: LoadNode): void {
    this.#nodes.push(node);
  }

  /** Sends no more requests to the node, and waits until its last one has ended. */
  async drainNode(node: LoadNode): Promise<void> {
    this.#nodes = this.#nodes.filter((other) => other !== node);
    while (this.#used.includes(node)) await sleep(DRAIN_POLL_MS);
  }

  /** Sends one request to this node. */
  async sendTo(node: LoadNode, apiKey: string): Promise<void> {
    await this.#sendNext(new Anthropic({ apiKey, baseURL: `http://127.0.0.1:${node.port}` }));
  }

  /** Returns the time of the slowest request since the last call, milliseconds. */
  takeSlowestMs(): number {
    const slowestMs = this.#slowestMs;
    this.#slowestMs = 0;
    return slowestMs;
  }

  async stop(): Promise<void> {
    this.#state = "stopped";
    await this.#running;
  }

  async #run(program: number, apiKey: string): Promise<void> {
    const client = new Anthropic({
      apiKey,
      baseURL: BALANCER,
      fetch: (url, init) => this.#send(program, url, init),
    });
    while (this.#state === "running" && this.failures.length < MOST_FAILURES) {
      await this.#sendNext(client);
      this.#used[program] = null;
      await sleep(PAUSE_MS);
    }
  }

  async #sendNext(client: Anthropic): Promise<void> {
    const number = this.sent.length;
    const name = `claude-upgrade-${number}`;
    this.sent.push({ name, costNanoUsd: computeCost(number) });
    const startMs = monotonicMs();
    try {
      await sendOne(client, name, number);
    } catch (error) {
      this.failures.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
    this.#slowestMs = Math.max(this.#slowestMs, monotonicMs() - startMs);
  }

  async #send(program: number, url: string | URL | Request, init?: RequestInit): Promise<Response> {
    const node = this.#nodes[Math.floor(Math.random() * this.#nodes.length)];
    if (node === undefined) throw new Error("no node serves");
    this.#used[program] = node;
    const target = String(url).replace(BALANCER, `http://127.0.0.1:${node.port}`);
    try {
      const response = await fetch(target, init);
      if (response.ok) addOne(this.responsesByNode, node.name);
      else addOne(this.retries, `status ${response.status}`);
      return response;
    } catch (error) {
      const reason = findReason(error);
      addOne(this.retries, reason);
      if (reason === "ECONNREFUSED") this.#nodes = this.#nodes.filter((other) => other !== node);
      throw error;
    }
  }
}

async function sendOne(client: Anthropic, name: string, number: number): Promise<void> {
  const request = {
    model: name,
    max_tokens: OUTPUT_TOKENS,
    metadata: { user_id: String(number) },
    messages: [{ role: "user" as const, content: "Hello" }],
  };
  if (number % 2 === 0) {
    await client.messages.create(request);
    return;
  }
  for await (const event of await client.messages.create({ ...request, stream: true })) {
    if (event.type === "message_stop") return;
  }
  throw new Error("the stream ended early");
}

/** Cost of a request, nano-USD. No two requests have the same. */
function computeCost(number: number): bigint {
  return (
    BigInt(BASE_INPUT_TOKENS + number) * INPUT_NANO_USD + BigInt(OUTPUT_TOKENS) * OUTPUT_NANO_USD
  );
}

/** Script of the fake upstream. */
export async function answer(exchange: Exchange): Promise<void> {
  const { stream, metadata } = JSON.parse(exchange.received.body.toString("utf8")) as {
    stream?: boolean;
    metadata: { user_id: string };
  };
  const usage = {
    input_tokens: BASE_INPUT_TOKENS + Number(metadata.user_id),
    output_tokens: OUTPUT_TOKENS,
  };
  await sleep(ANSWER_MS);
  if (stream !== true) {
    exchange.json(messageJson({ usage, model: MODEL }));
    return;
  }
  exchange.startStream();
  await exchange.write(
    messageStart({ ...usage, output_tokens: 1 }).replace(/"model":"[^"]*"/, `"model":"${MODEL}"`),
  );
  await sleep(ANSWER_MS);
  await exchange.write(textDelta("word "));
  for (const event of messageEnd({ output_tokens: OUTPUT_TOKENS })) await exchange.write(event);
  exchange.end();
}

export function findRequestName(received: { body: Buffer }): string {
  return (JSON.parse(received.body.toString("utf8")) as { model: string }).model;
}

function findReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && "code" in cause) return String(cause.code);
  return error instanceof Error ? error.message : String(error);
}

function addOne(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
