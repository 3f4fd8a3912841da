import { setTimeout as sleep } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import {
  type Exchange,
  messageEnd,
  messageJson,
  messageStart,
  textDelta,
} from "../../server/test/harness/fake-upstream.ts";
import { isMessage } from "../../server/test/harness/limit-load.ts";
import { monotonicMs } from "../monotonic.ts";
import type { Company } from "./company.ts";

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
const LIMITED_CLIENTS = 4;
/** Number of each request under a low limit: five tokens of input, because real costs are below their hold. */
const LIMITED_NUMBER = 5 - BASE_INPUT_TOKENS;

export class UpgradeLoad {
  readonly sent: SentRequest[] = [];
  readonly failures: string[] = [];
  /** Attempts that the SDK repeated, by reason. */
  readonly retries = new Map<string, number>();
  readonly responsesByNode = new Map<string, number>();
  /** Answered and refused requests of the programs under a low limit. */
  readonly limited = { costNanoUsd: 0n, answered: 0, refused: 0 };
  /** Node of the running request of each program. */
  readonly #used: (LoadNode | null)[] = [];
  #numbers = 0;
  /** Number of programs without a low limit, which come first. */
  #clients = 0;
  #slowestMs = 0;
  #nodes: LoadNode[] = [];
  #running: Promise<unknown> = Promise.resolve();
  #state: "new" | "running" | "stopped" = "new";

  /** Starts programs: `clients` that share the keys, and some with the key under a low limit. */
  start(clients: number, { keys, limited }: Company): void {
    this.#state = "running";
    this.#clients = clients;
    const runs = Array.from({ length: clients + LIMITED_CLIENTS }, (_, program) =>
      program < clients
        ? this.#run(program, keys[program % keys.length] ?? "")
        : this.#runLimited(program, limited.key),
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
    const client = this.#makeClient(program, apiKey);
    while (this.#state === "running" && this.failures.length < MOST_FAILURES) {
      await this.#sendNext(client);
      this.#used[program] = null;
      await sleep(PAUSE_MS);
    }
  }

  /** Sends small requests, of which most are refused. */
  async #runLimited(program: number, apiKey: string): Promise<void> {
    const client = this.#makeClient(program, apiKey).withOptions({ maxRetries: 0 });
    while (this.#state === "running") {
      const name = `claude-upgrade-${this.#numbers++}`;
      const costNanoUsd = computeCost(LIMITED_NUMBER);
      try {
        await sendOne(client, name, LIMITED_NUMBER);
        this.sent.push({ name, costNanoUsd });
        this.limited.costNanoUsd += costNanoUsd;
        this.limited.answered += 1;
      } catch (error) {
        if (isRefusal(error)) this.limited.refused += 1;
        else if (!(error instanceof Anthropic.APIConnectionError))
          this.failures.push(`${name}: ${error instanceof Error ? error.message : error}`);
      }
      this.#used[program] = null;
      await sleep(PAUSE_MS);
    }
  }

  #makeClient(program: number, apiKey: string): Anthropic {
    return new Anthropic({
      apiKey,
      baseURL: BALANCER,
      fetch: (url, init) => this.#send(program, url, init),
    });
  }

  async #sendNext(client: Anthropic): Promise<void> {
    const number = this.#numbers++;
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
      else this.#countRetry(program, `status ${response.status}`);
      return response;
    } catch (error) {
      const reason = findReason(error);
      this.#countRetry(program, reason);
      if (reason === "ECONNREFUSED") this.#nodes = this.#nodes.filter((other) => other !== node);
      throw error;
    }
  }

  #countRetry(program: number, reason: string): void {
    if (program < this.#clients) addOne(this.retries, reason);
  }
}

/** 400: the limit is reached. 429 and 529: running requests hold the rest. */
function isRefusal(error: unknown): boolean {
  return error instanceof Anthropic.APIError && [400, 429, 529].includes(error.status ?? 0);
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

/** Cost of a request, nano-USD. */
function computeCost(number: number): bigint {
  return (
    BigInt(BASE_INPUT_TOKENS + number) * INPUT_NANO_USD + BigInt(OUTPUT_TOKENS) * OUTPUT_NANO_USD
  );
}

/** Script of the fake upstream. */
export async function answer(exchange: Exchange): Promise<void> {
  // A server counts the tokens of a request that hardly fits into the limit.
  if (!isMessage(exchange.received)) {
    exchange.json({ input_tokens: BASE_INPUT_TOKENS + LIMITED_NUMBER });
    return;
  }
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
