import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import picocolors from "picocolors";
import { type Config, type LoadedConfig, loadConfig } from "./config.ts";
import { checkAddress } from "./http/listen.ts";
import { type Logger, makeProcessLogger } from "./lib/logger.ts";
import { acquireProcessLock } from "./lib/process-lock.ts";
import { explainFailure, StartError } from "./lib/start-error.ts";
import { banner } from "./process/banner.ts";
import { openServerStorage } from "./process/open-server-storage.ts";
import type { SuperviseOptions } from "./process/supervisor.ts";
import type { RunningServer } from "./process/wiring.ts";

/** Root of the clone, the base of `bursar.toml` and a relative data folder. */
const root = fileURLToPath(new URL("../../", import.meta.url));
const SERVER_FILE = "server.json";
const usage = "Usage: main.ts start [--simulator] [--processes N]";

await run().catch((error: unknown) => {
  process.stderr.write(`${explainFailure(error)}\n`);
  process.exitCode = 1;
});

async function run(): Promise<void> {
  const { positionals, values } = parseCommandLine();
  const { processes } = values;
  const env = processes === undefined ? {} : { BURSAR_PROCESSES: processes };
  const loaded = loadConfig({ ...process.env, ...env }, root);
  const logger = makeProcessLogger(loaded.config.logLevel, loaded.config.logFormat);
  switch (positionals[0]) {
    case "start":
      return start(loaded, logger, values.simulator === true);
    default:
      throw new StartError(usage);
  }
}

function parseCommandLine() {
  try {
    return parseArgs({
      options: { simulator: { type: "boolean" }, processes: { type: "string" } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

async function start(loaded: LoadedConfig, logger: Logger, isSimulated: boolean): Promise<void> {
  const { config } = loaded;
  const stopRequested = Promise.withResolvers<NodeJS.Signals>();
  // Registered first, so that a signal during the start waits for its end and then stops everything in order. A closed
  // terminal sends SIGHUP.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => stopRequested.resolve(signal));
  }
  await checkPort(config);
  // PostgreSQL starts while the other modules are loaded and warmed up.
  const [place, startAll] = await Promise.all([
    openServerStorage(config, logger),
    loadStart(config, logger),
  ]);
  const server = await startAll({ loaded, logger, isSimulated, place });
  announce(config.dataDir, server);
  const isColoured = process.stdout.isTTY === true && picocolors.isColorSupported;
  process.stdout.write(banner(loaded, server, isColoured));
  const signal = await Promise.race([stopRequested.promise, server.failed]);
  logger.info({ signal }, "stopping");
  rmSync(join(config.dataDir, SERVER_FILE), { force: true });
  await server.stop();
  // A remaining timer must not keep a stopped server alive.
  process.exit(process.exitCode ?? 0);
}

async function loadStart(
  { processes, http, warmUpMs }: LoadedConfig["config"],
  logger: Logger,
): Promise<(options: SuperviseOptions) => Promise<RunningServer>> {
  // Each process of a supervisor warms up itself.
  if (processes > 1) return (await import("./process/supervisor.ts")).startProcesses;
  const { startServer } = await import("./process/wiring.ts");
  const { warmUp } = await import("./process/warm-up.ts");
  const warming = warmUp({ logger, http, withinMs: warmUpMs });
  return (options) => startServer({ ...options, warming });
}

/**
 * Checks the port before anything is created. Throws a StartError. A second start on a data folder names the first one,
 * because that one occupies the port.
 */
async function checkPort({ host, port, dataDir }: Config): Promise<void> {
  try {
    await checkAddress({ host, port });
  } catch (error) {
    if (existsSync(dataDir)) await (await acquireProcessLock(dataDir)).release();
    throw error;
  }
}

/** Writes the listener's address for programs on this machine. The file is renamed, so it is always complete. */
function announce(dataDir: string, server: RunningServer): void {
  const file = join(dataDir, SERVER_FILE);
  writeFileSync(`${file}.new`, JSON.stringify({ url: server.url, pid: process.pid }), {
    mode: 0o600,
  });
  renameSync(`${file}.new`, file);
}
