import { StartError } from "#src/lib/start-error.ts";
import { ANTHROPIC_BASE_URL, makeAnthropicUpstream } from "./anthropic.ts";
import { makeOrders, type UpstreamOrders } from "./make-orders.ts";
import { findEnvironmentProxy } from "./proxy-url.rule.ts";
import { makeSimulatorUpstream, type SimulatorAddress } from "./simulator.ts";
import {
  type MadeUpstream,
  makeStoredUpstream,
  nameConfiguration,
  type StoredUpstreamDeps,
  toTunnel,
} from "./stored-upstream.ts";
import type { Upstream, UpstreamChoice } from "./upstream.ts";
import type { StoredUpstreams } from "./upstream-lookup.sql.ts";

// Precedence: environment, stored upstreams, simulator. An unusable upstream is an error and no reason to use the simulator,
// because a company with an upstream must never get simulated responses.

export interface UpstreamsDeps extends StoredUpstreamDeps {
  /** `ANTHROPIC_API_KEY` and `ANTHROPIC_UPSTREAM_URL`. One is enough. Null: none is set, or `--simulator`. */
  environment: { apiKey: string | null; baseUrl: string | null } | null;
  /** The stored upstreams: `findStoredUpstreams`. Returns none with `--simulator`. */
  findStored: () => Promise<StoredUpstreams>;
  /** Starts the simulator at its first use. */
  startSimulator: () => Promise<{ address: SimulatorAddress; close: () => Promise<void> }>;
}

export interface Upstreams extends UpstreamChoice {
  /** The first upstream of the default order. Throws `ApiError("upstream_unusable")` while none can be used. */
  current(): Upstream;
  /** Lists the usable stored upstreams. */
  listStored(): Upstream[];
  /** Reads the stored upstreams again after each change. Keeps the present ones when the database is away. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export const NO_STORED_UPSTREAMS: StoredUpstreams = { upstreams: [], workspaceOrders: new Map() };

/** All upstreams of one moment. */
interface Configuration {
  /** Made upstreams by `nameConfiguration`, `environment` or `simulator`. */
  made: ReadonlyMap<string, MadeUpstream>;
  orders: UpstreamOrders;
}

/** Throws a StartError for a malformed upstream in the environment. */
export async function openUpstreams(deps: UpstreamsDeps): Promise<Upstreams> {
  let simulator: Awaited<ReturnType<UpstreamsDeps["startSimulator"]>> | null = null;
  const closing = new Set<Promise<unknown>>();

  async function makeSimulator(): Promise<Upstream> {
    simulator ??= await deps.startSimulator();
    const { idleTimeoutMs, turnEnd } = deps;
    return makeSimulatorUpstream(simulator.address, { idleTimeoutMs, turnEnd });
  }

  async function chooseOne(
    previous: Configuration | null,
    name: "environment" | "simulator",
    make: () => Upstream | Promise<Upstream>,
  ): Promise<Configuration> {
    if (previous?.made.has(name)) return previous;
    const upstream = await make();
    const made = new Map<string, MadeUpstream>([[name, { upstream, refusal: null }]]);
    return { made, orders: makeOneOrder(upstream) };
  }

  async function choose(previous: Configuration | null): Promise<Configuration> {
    const { environment } = deps;
    if (environment !== null) {
      return chooseOne(previous, "environment", () => makeEnvironment(deps, environment));
    }
    const stored = await deps.findStored();
    if (stored.upstreams.length === 0) return chooseOne(previous, "simulator", makeSimulator);
    const made = new Map<string, MadeUpstream>();
    const rows = stored.upstreams.map((row) => {
      const name = nameConfiguration(row);
      const one = previous?.made.get(name) ?? makeStoredUpstream(deps, row);
      made.set(name, one);
      return { ...row, made: one };
    });
    return { made, orders: makeOrders(rows, stored.workspaceOrders) };
  }

  let chosen = await choose(null);

  function retire(upstream: Upstream): void {
    // The clients close after their running requests.
    const clients = [upstream.client.close(), upstream.objects?.close()];
    const closed = Promise.all(clients).catch((error: unknown) => {
      deps.logger.warn({ err: error }, "closing the previous upstream failed");
    });
    closing.add(closed);
    void closed.then(() => closing.delete(closed));
  }

  function retireMissing(previous: Configuration, next: Configuration): void {
    for (const [name, { upstream }] of previous.made) {
      if (upstream !== null && !next.made.has(name)) retire(upstream);
    }
    for (const [name, { upstream, refusal }] of next.made) {
      if (previous.made.has(name)) continue;
      deps.logger.info({ upstream: upstream?.describe ?? refusal }, "upstream changed");
    }
  }

  async function reloadOnce(): Promise<void> {
    try {
      const previous = chosen;
      chosen = await choose(previous);
      if (chosen !== previous) retireMissing(previous, chosen);
    } catch (error) {
      deps.logger.warn(
        { err: error },
        "the stored upstreams could not be read, so the present ones stay in use",
      );
    }
  }

  return {
    current: () => chosen.orders.current(),
    forWorkspace: (organizationId, workspaceId) =>
      chosen.orders.forWorkspace(organizationId, workspaceId),
    find: (organizationId, id) => chosen.orders.find(organizationId, id),
    listStored: () => listStored(chosen),
    reload: runOneByOne(reloadOnce),
    async close() {
      for (const { upstream } of chosen.made.values()) if (upstream !== null) retire(upstream);
      await Promise.all(closing);
      await simulator?.close();
    },
  };
}

function listStored({ made }: Configuration): Upstream[] {
  return [...made.values()]
    .map(({ upstream }) => upstream)
    .filter((upstream) => upstream !== null)
    .filter(({ describe }) => describe.source === "stored");
}

/** Returns a function that runs `work` once at a time. A call during a run causes another, so the newest rows are in use. */
function runOneByOne(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let isRequested = false;

  async function runAll(): Promise<void> {
    do {
      isRequested = false;
      await work();
    } while (isRequested);
    running = null;
  }

  return () => {
    if (running !== null) isRequested = true;
    running ??= runAll();
    return running;
  };
}

/** Returns the orders of an installation whose only upstream serves all workspaces. */
function makeOneOrder(upstream: Upstream): UpstreamOrders {
  const order = [upstream] as const;
  return {
    current: () => upstream,
    forWorkspace: () => order,
    find: (_, id) => (id === upstream.id ? upstream : null),
  };
}

function makeEnvironment(
  deps: UpstreamsDeps,
  environment: { apiKey: string | null; baseUrl: string | null },
): Upstream {
  try {
    const baseUrl = environment.baseUrl ?? ANTHROPIC_BASE_URL;
    const proxy = toTunnel(findEnvironmentProxy(deps.environmentProxy, baseUrl));
    return makeAnthropicUpstream({
      id: "environment",
      baseUrl,
      ...(proxy !== undefined && { proxy }),
      credential: environment.apiKey,
      source: "environment",
      idleTimeoutMs: deps.idleTimeoutMs,
      turnEnd: deps.turnEnd,
    });
  } catch (error) {
    throw new StartError(`ANTHROPIC_UPSTREAM_URL: ${error instanceof Error ? error.message : ""}.`);
  }
}
