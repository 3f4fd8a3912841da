import { join } from "node:path";
import type { Config } from "#src/config.ts";
import type { Storage } from "#src/db/storage.ts";
import { getSocketPath, socketName } from "#src/lib/local-socket.ts";
import type { Logger } from "#src/lib/logger.ts";
import { StartError } from "#src/lib/start-error.ts";
import { parseAllowedTargets } from "#src/lib/target-address.ts";
import type { TurnEnd } from "#src/lib/turn-end.ts";
import { startSimulator } from "#src/simulator/server.ts";
import { type EnvironmentProxy, parseProxyUrl } from "#src/upstreams/proxy-url.rule.ts";
import {
  NO_STORED_UPSTREAMS,
  openUpstreams,
  type Upstreams,
} from "#src/upstreams/resolve-upstream.ts";
import type { UpstreamDescription } from "#src/upstreams/upstream.ts";
import { findStoredUpstreams } from "#src/upstreams/upstream-lookup.sql.ts";

interface UpstreamOptions {
  config: Config;
  storage: Storage;
  logger: Logger;
  /** Key that seals secrets stored in the database. */
  key: Buffer;
  /** `--simulator`: ignores every configured upstream. */
  isSimulated: boolean;
  /** Number of this process in its data folder, from 1. */
  index: number;
  /** End of turns of this process. */
  turnEnd: TurnEnd;
}

/** Opens the upstream of the environment, the stored ones, or the simulator. They close with `parts`. */
export async function startUpstreams(
  { config, storage, logger, key, isSimulated, index, turnEnd }: UpstreamOptions,
  parts: AsyncDisposableStack,
): Promise<Upstreams> {
  const { anthropicApiKey, anthropicUpstreamUrl } = config;
  const isConfigured = anthropicApiKey !== undefined || anthropicUpstreamUrl !== undefined;
  const upstreams = await openUpstreams({
    environment:
      isConfigured && !isSimulated
        ? { apiKey: anthropicApiKey ?? null, baseUrl: anthropicUpstreamUrl ?? null }
        : null,
    findStored: async () =>
      isSimulated ? NO_STORED_UPSTREAMS : findStoredUpstreams(storage.database),
    sealingKey: key,
    privateUpstreams: parseAllowedTargets(config.allowPrivateUpstreams),
    isMachineAllowed: config.allowMachineCredentials === "on",
    environmentProxy: findProxy(config),
    startSimulator: () => startLocalSimulator(storage.folder, socketName("simulator", index)),
    idleTimeoutMs: config.upstreamIdleMs,
    turnEnd: config.http === "sockets" ? turnEnd : null,
    logger,
  });
  parts.defer(() => upstreams.close());
  return upstreams;
}

/**
 * Starts a simulator on a socket of the folder. On Windows it has a port of loopback. All processes of a data folder have
 * the same files and other objects.
 */
export function startLocalSimulator(
  folder: string,
  name: string,
): ReturnType<typeof startSimulator> {
  const isWindows = process.platform === "win32";
  return startSimulator(isWindows ? { port: 0 } : { socketPath: getSocketPath(folder, name) }, {
    folder: join(folder, "simulator"),
  });
}

/** Throws a StartError for a malformed proxy. */
function findProxy({ httpsProxy, noProxy }: Config): EnvironmentProxy | null {
  if (httpsProxy === undefined) return null;
  const proxy = parseProxyUrl(httpsProxy);
  if (proxy === null) throw new StartError("HTTPS_PROXY is no URL of a proxy.");
  return { proxy, exceptions: noProxy };
}

/** Upstream in use. Null while the configured one is not usable. */
export function findUpstreamInUse(upstreams: Upstreams): UpstreamDescription | null {
  try {
    return upstreams.current().describe;
  } catch {
    return null;
  }
}

/** Names of the variables that configure an upstream, for people. */
export function nameUpstreamVariables(config: Config): string {
  return [
    config.anthropicApiKey === undefined ? null : "ANTHROPIC_API_KEY",
    config.anthropicUpstreamUrl === undefined ? null : "ANTHROPIC_UPSTREAM_URL",
  ]
    .filter((name) => name !== null)
    .join(" and ");
}
