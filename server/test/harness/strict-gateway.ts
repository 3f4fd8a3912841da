import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { makePriceBook } from "#src/domain/price-book.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import type { GatewayDeps } from "#src/gateway/handle-request.ts";
import { parseMessage } from "#src/gateway/parse-message.ts";
import { type NewSpendLimit, upsertSpendLimit } from "#src/spend/ledger/limits.sql.ts";
import type { TestDatabase } from "./database.ts";
import { type Exchange, type FakeUpstream, messageJson } from "./fake-upstream.ts";
import {
  type Answer,
  call,
  messageBody,
  startTestGateway,
  type TestGateway,
  withKey,
} from "./gateway.ts";
import { type SpendNode, type SpendNodeOptions, startSpendNode } from "./spend-node.ts";

// Strict limits from the client's side: a gateway on a socket before a fake upstream. The journal, the ledger and the
// leases of one node are on PostgreSQL.

/** Cost of the default response: 10 input and 5 output tokens of claude-sonnet-4-5. */
export const COST = 105_000n;
/** Wait for a hold. Long enough for a query to a busy database, since a timeout has another message. */
export const HOLD_WAIT_MS = 2_000;
export const WORST = worstCaseOf(messageBody());
const BOUND_MS = 30_000;

export function worstCaseOf(body: string): bigint {
  return computeWorstCost(parseMessage(Buffer.from(body)), makePriceBook([]), Date.now()).nanoUsd;
}

export interface Refusal {
  status: number;
  type: string;
  message: string;
  shouldRetry: unknown;
  retryAfter: unknown;
}

export interface Balances {
  settled: bigint;
  leased: bigint;
  unresolved: bigint;
  overrun: bigint;
}

interface Parts {
  db: TestDatabase;
  upstream: FakeUpstream;
  directory: string;
  nodeId: string;
  scope: { organizationId: string; workspaceId: string; apiKeyId: string };
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "bursar-strict-"));
}

/** One node of an organization of its own. */
export class StrictGateway {
  readonly scope: Parts["scope"];
  /** Reasons of refused holds, and amounts by which requests exceeded theirs. */
  readonly refusals: string[] = [];
  readonly overruns: bigint[] = [];
  readonly #db: TestDatabase;
  readonly #upstream: FakeUpstream;
  readonly #directory: string;
  readonly #nodeId: string;
  #running: { node: SpendNode; gateway: TestGateway; secret: string } | null = null;

  static async start(db: TestDatabase, upstream: FakeUpstream): Promise<StrictGateway> {
    upstream.script = (exchange) => exchange.json(messageJson());
    upstream.received.length = 0;
    const scope = {
      organizationId: randomUUID(),
      workspaceId: `wksp_${randomUUID()}`,
      apiKeyId: `apikey_${randomUUID()}`,
    };
    const organization = { id: scope.organizationId, name: "Acme" };
    await db.database.insertInto("organization").values(organization).execute();
    const nodeId = `node_${scope.organizationId}`;
    return new StrictGateway({
      db,
      upstream,
      scope,
      nodeId,
      directory: await makeFolder(),
    }).#started();
  }

  private constructor(parts: Parts) {
    this.#db = parts.db;
    this.#upstream = parts.upstream;
    this.#directory = parts.directory;
    this.#nodeId = parts.nodeId;
    this.scope = parts.scope;
  }

  /** Starts another node for the same key. */
  async startSecond(): Promise<StrictGateway> {
    const nodeId = `${this.#nodeId}_2`;
    const parts = { db: this.#db, upstream: this.#upstream, scope: this.scope, nodeId };
    return new StrictGateway({ ...parts, directory: await makeFolder() }).#started();
  }

  async #started(): Promise<this> {
    await this.#startNode();
    return this;
  }

  get node(): SpendNode {
    return this.#parts().node;
  }

  get gateway(): TestGateway {
    return this.#parts().gateway;
  }

  async restart(
    options: Partial<SpendNodeOptions> = {},
    overrides: Partial<GatewayDeps> = {},
  ): Promise<void> {
    await this.gateway.close();
    await this.node.stop();
    await this.#startNode(options, overrides);
  }

  /** Starts the same node behind a new gateway. */
  async reopen(overrides: Partial<Parameters<typeof startTestGateway>[0]>): Promise<void> {
    await this.gateway.close();
    await this.#openGateway(this.node, overrides);
  }

  async stop(): Promise<void> {
    await this.gateway.close();
    await this.node.stop();
    await rm(this.#directory, { recursive: true });
  }

  async limit(
    amountNanoUsd: bigint,
    fields: Partial<Omit<NewSpendLimit, "id" | "organizationId">> = {},
  ): Promise<void> {
    await upsertSpendLimit(this.#db.database, {
      id: `spl_${randomUUID()}`,
      organizationId: this.scope.organizationId,
      scopeType: "workspace",
      scopeId: this.scope.workspaceId,
      period: "monthly",
      enforcement: "strict",
      amountNanoUsd,
      ...fields,
    });
    await this.node.ledger.refresh();
  }

  async balance(scopeId = this.scope.workspaceId): Promise<Balances> {
    const row = await this.#db.database
      .selectFrom("balance_sum")
      .select(["settled_nano_usd", "leased_nano_usd", "unresolved_nano_usd", "overrun_nano_usd"])
      .where("scope_id", "=", scopeId)
      .where("period", "=", "monthly")
      .executeTakeFirst();
    return {
      settled: row?.settled_nano_usd ?? 0n,
      leased: row?.leased_nano_usd ?? 0n,
      unresolved: row?.unresolved_nano_usd ?? 0n,
      overrun: row?.overrun_nano_usd ?? 0n,
    };
  }

  ask(body = messageBody(), headers: Record<string, string> = {}): Promise<Answer> {
    return call(this.gateway.origin, { headers: { ...this.headers(), ...headers }, body });
  }

  headers(): ReturnType<typeof withKey> {
    return withKey(this.#parts().secret);
  }

  async refusalOf(body = messageBody(), headers: Record<string, string> = {}): Promise<Refusal> {
    const answer = await this.ask(body, headers);
    const { error, request_id } = JSON.parse(answer.text) as {
      error: { type: string; message: string };
      request_id: string;
    };
    expect(answer.headers["request-id"]).toBe(request_id);
    return {
      status: answer.status,
      type: error.type,
      message: error.message,
      shouldRetry: answer.headers["x-should-retry"],
      retryAfter: answer.headers["retry-after"],
    };
  }

  /** Number of messages that reached the upstream, without token counts. */
  countMessages(): number {
    return this.#upstream.received.filter(({ url }) => url === "/v1/messages").length;
  }

  /** Sends a request that reached the upstream and has no response yet. */
  async startRequest(): Promise<{ exchange: Exchange; answer: Promise<Answer> }> {
    const upstream = this.#upstream;
    const { script } = upstream;
    upstream.script = () => undefined;
    const next = upstream.nextExchange();
    const answer = this.ask();
    const exchange = await next;
    upstream.script = script;
    return { exchange, answer };
  }

  async #startNode(
    options: Partial<SpendNodeOptions> = {},
    overrides: Partial<GatewayDeps> = {},
  ): Promise<void> {
    const node = await startSpendNode({
      database: this.#db.database,
      directory: this.#directory,
      nodeId: this.#nodeId,
      holdWaitMs: HOLD_WAIT_MS,
      flushEveryMs: 20,
      holdRunning: (scopeIds) => this.#running?.gateway.gateway.holdRunningRequests(scopeIds) ?? [],
      ...options,
    });
    await this.#openGateway(node, overrides);
  }

  async #openGateway(
    node: SpendNode,
    overrides: Partial<Parameters<typeof startTestGateway>[0]>,
  ): Promise<void> {
    const gateway = await startTestGateway({
      origin: this.#upstream.origin,
      ledger: node.ledger,
      leases: node.leases,
      meter: node.meter,
      metrics: {
        observeRequest: () => undefined,
        observeRateRefusal: () => undefined,
        observeHoldRefusal: (reason) => void this.refusals.push(reason),
        observeOverrun: (nanoUsd) => void this.overruns.push(nanoUsd),
        observeDoubt: () => undefined,
        observeCut: () => undefined,
        observeFasterStream: () => undefined,
        observeStep: () => undefined,
      },
      ...overrides,
    });
    const { apiKeyId: id, organizationId, workspaceId } = this.scope;
    const secret = gateway.addKey({ id, organizationId, workspaceId });
    this.#running = { node, gateway, secret };
  }

  #parts() {
    if (this.#running === null) throw new Error("the node has not started");
    return this.#running;
  }
}

export async function waitFor(what: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAtMs = performance.now() + BOUND_MS;
  while (!(await what())) {
    if (performance.now() > giveUpAtMs) throw new Error(`timed out: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
