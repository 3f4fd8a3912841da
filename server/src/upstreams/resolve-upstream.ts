import { ApiError } from "#src/domain/api-error.ts";
import type { Logger } from "#src/lib/logger.ts";
import { unseal } from "#src/lib/seal.ts";
import { StartError } from "#src/lib/start-error.ts";
import type { AllowedTargets } from "#src/lib/target-address.ts";
import type { TurnEnd } from "#src/lib/turn-end.ts";
import { ANTHROPIC_BASE_URL, makeAnthropicUpstream } from "./anthropic.ts";
import { makeSimulatorUpstream, type SimulatorAddress } from "./simulator.ts";
import type { Upstream, UpstreamChoice } from "./upstream.ts";
import type { StoredUpstream } from "./upstream-lookup.sql.ts";
import { findTargetFault, makeUpstreamLookup } from "./upstream-target.ts";
import { upstreamSealContext } from "./upstream-url.rule.ts";

// Precedence: environment, stored upstream, simulator. An unusable upstream is an error and no reason to use the next one,
// because a company with an upstream must never get simulated responses.

export interface UpstreamsDeps {
  /** `ANTHROPIC_API_KEY` and `ANTHROPIC_UPSTREAM_URL`. One is enough. Null: none is set, or `--simulator`. */
  environment: { apiKey: string | null; baseUrl: string | null } | null;
  /** The stored upstream: `findSharedUpstream`. Returns null with `--simulator`. */
  findStored: () => Promise<StoredUpstream | null>;
  /** `deriveSealingKey(BURSAR_SECRET)`. */
  sealingKey: Buffer;
  /** Private addresses that a stored upstream may have: `BURSAR_ALLOW_PRIVATE_UPSTREAMS`. */
  privateUpstreams: AllowedTargets;
  /** Starts the simulator at its first use. */
  startSimulator: () => Promise<{ address: SimulatorAddress; close: () => Promise<void> }>;
  /** `BURSAR_UPSTREAM_IDLE`, milliseconds. */
  idleTimeoutMs: number;
  /** Sends over sockets at the end of turns. Null: undici sends. */
  turnEnd: TurnEnd | null;
  logger: Logger;
}

export interface Upstreams extends UpstreamChoice {
  /** The first upstream of the default order. Throws `ApiError("upstream_unusable")` while it cannot be used. */
  current(): Upstream;
  /** Reads the stored upstream again after each change. Keeps the present one when the database is away. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

interface Choice {
  /** Identifies the configuration. The client is replaced when it changes. Contains the sealed credential only. */
  name: string;
  upstream: Upstream | null;
  refusal: string | null;
}

/** Throws a StartError for a malformed upstream in the environment. */
export async function openUpstreams(deps: UpstreamsDeps): Promise<Upstreams> {
  let simulator: Awaited<ReturnType<UpstreamsDeps["startSimulator"]>> | null = null;
  const closing = new Set<Promise<unknown>>();

  async function chooseSimulator(): Promise<Choice> {
    simulator ??= await deps.startSimulator();
    const upstream = makeSimulatorUpstream(simulator.address, {
      idleTimeoutMs: deps.idleTimeoutMs,
      turnEnd: deps.turnEnd,
    });
    return { name: "simulator", upstream, refusal: null };
  }

  async function choose(previous: Choice | null): Promise<Choice> {
    if (deps.environment) return previous ?? chooseEnvironment(deps, deps.environment);
    const stored = await deps.findStored();
    const name = stored ? nameOf(stored) : "simulator";
    if (previous?.name === name) return previous;
    return stored ? chooseStored(deps, stored, name) : chooseSimulator();
  }

  let choice = await choose(null);
  let reloading: Promise<void> | null = null;
  let isReloadRequested = false;

  function retire(upstream: Upstream | null): void {
    if (!upstream) return;
    // The clients close after their running requests.
    const clients = [upstream.client.close(), upstream.objects?.close()];
    const closed = Promise.all(clients).catch((error: unknown) => {
      deps.logger.warn({ err: error }, "closing the previous upstream failed");
    });
    closing.add(closed);
    void closed.then(() => closing.delete(closed));
  }

  async function reloadOnce(): Promise<void> {
    try {
      const next = await choose(choice);
      if (next === choice) return;
      const previous = choice;
      choice = next;
      retire(previous.upstream);
      deps.logger.info({ upstream: next.upstream?.describe ?? next.refusal }, "upstream changed");
    } catch (error) {
      deps.logger.warn(
        { err: error },
        "the stored upstream could not be read, so the present one stays in use",
      );
    }
  }

  function current(): Upstream {
    if (choice.upstream) return choice.upstream;
    throw new ApiError("upstream_unusable", choice.refusal ?? "no upstream");
  }

  return {
    current,
    forWorkspace: () => [current()],
    find: (_, id) => (choice.upstream?.id === id ? choice.upstream : null),
    async reload() {
      // Reloads run one at a time. A change during a reload causes another, so the newest row is in use at the end.
      if (reloading !== null) {
        isReloadRequested = true;
        return reloading;
      }
      reloading = (async () => {
        do {
          isReloadRequested = false;
          await reloadOnce();
        } while (isReloadRequested);
      })();
      await reloading;
      reloading = null;
    },
    async close() {
      retire(choice.upstream);
      await Promise.all(closing);
      await simulator?.close();
    },
  };
}

function chooseEnvironment(
  deps: UpstreamsDeps,
  environment: { apiKey: string | null; baseUrl: string | null },
): Choice {
  try {
    const upstream = makeAnthropicUpstream({
      baseUrl: environment.baseUrl ?? ANTHROPIC_BASE_URL,
      id: "environment",
      credential: environment.apiKey,
      source: "environment",
      idleTimeoutMs: deps.idleTimeoutMs,
      turnEnd: deps.turnEnd,
    });
    return { name: "environment", upstream, refusal: null };
  } catch (error) {
    throw new StartError(`ANTHROPIC_UPSTREAM_URL: ${error instanceof Error ? error.message : ""}.`);
  }
}

function chooseStored(deps: UpstreamsDeps, stored: StoredUpstream, name: string): Choice {
  if (stored.credentialSealed === null) {
    const refusal =
      "The upstream of this server has no credential: an administrator must set it again.";
    return { name, upstream: null, refusal };
  }
  const fault = findTargetFault(stored.baseUrl, deps.privateUpstreams);
  if (fault !== null) {
    const refusal = `The upstream of this server cannot be used: ${fault}`;
    return { name, upstream: null, refusal };
  }
  try {
    const context = upstreamSealContext(stored.id, stored.baseUrl);
    const upstream = makeAnthropicUpstream({
      id: stored.id,
      baseUrl: stored.baseUrl,
      credential: unseal(deps.sealingKey, stored.credentialSealed, context),
      source: "stored",
      idleTimeoutMs: deps.idleTimeoutMs,
      lookup: makeUpstreamLookup(deps.privateUpstreams),
      turnEnd: deps.turnEnd,
    });
    return { name, upstream, refusal: null };
  } catch (error) {
    deps.logger.error({ err: error, upstreamId: stored.id }, "the stored upstream cannot be used");
    const refusal =
      "The upstream of this server cannot be used: its credential cannot be decrypted, or its URL is not allowed. " +
      "An administrator must set it again.";
    return { name, upstream: null, refusal };
  }
}

function nameOf(stored: StoredUpstream): string {
  const sealed = stored.credentialSealed;
  const text = sealed === null ? "none" : Buffer.from(sealed).toString("base64");
  return `stored ${stored.id} ${stored.baseUrl} ${text}`;
}
