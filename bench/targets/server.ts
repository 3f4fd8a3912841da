import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { killOnExit, pidOf, stopChild } from "../children.ts";
import { monotonicMs } from "../monotonic.ts";
import { findFreePort, waitUntilReady } from "./ports.ts";

/** Options of Node with which `npm start`, the image and the service start a server. */
const NODE_OPTIONS = ["--max-semi-space-size=8", "--v8-pool-size=1", "--heap-growing-percent=100"];
const MAIN = join("server", "src", "main.ts");
const STOP_WITHIN_MS = 45_000; // the drain, and the clean stop of PostgreSQL

export interface RunningServer {
  port: number;
  pid: number;
  /** Time from the start of the process until it serves, milliseconds. */
  readyMs: number;
  /** Stops the process by SIGTERM. Returns its exit code, or null if it had to be killed. */
  stop(): Promise<number | null>;
}

/** Starts a server of a checkout. Throws with its output when it does not serve in time. */
export async function startServer(options: {
  source: string;
  dataDir: string;
  logFile: string;
  /** Variables added to this environment, whose settings of the server are removed. */
  env: Record<string, string>;
  /** Further options of Node. */
  nodeOptions?: readonly string[];
  readyWithinMs: number;
}): Promise<RunningServer> {
  const { source, dataDir, logFile, nodeOptions = [] } = options;
  // The file could name a database, which must not get a million requests.
  if (existsSync(join(source, "bursar.toml"))) {
    throw new Error("The benchmark runs with default settings. Move bursar.toml away first.");
  }
  const port = await findFreePort();
  const startMs = monotonicMs();
  const log = openSync(logFile, "w");
  const child = killOnExit(
    spawn(process.execPath, [...NODE_OPTIONS, ...nodeOptions, join(source, MAIN), "start"], {
      cwd: source,
      env: makeEnvironment({
        ...options.env,
        BURSAR_PORT: String(port),
        BURSAR_DATA_DIR: dataDir,
      }),
      stdio: ["ignore", log, log],
    }),
  );
  closeSync(log);
  const stop = async () => {
    await stopChild(child, { signal: "SIGTERM", graceMs: STOP_WITHIN_MS });
    return child.exitCode;
  };
  const isAlive = () => child.exitCode === null;
  try {
    await waitUntilReady({ port, path: "/readyz", timeoutMs: options.readyWithinMs, isAlive });
    return { port, pid: pidOf(child), readyMs: monotonicMs() - startMs, stop };
  } catch (error) {
    await stop();
    const output = readFileSync(logFile, "utf8");
    throw new Error(`bursar: ${error instanceof Error ? error.message : error}\n${output}`, {
      cause: error,
    });
  }
}

function makeEnvironment(set: Record<string, string>): NodeJS.ProcessEnv {
  const foreign = /^(BURSAR_|ANTHROPIC_|DATABASE_URL|NODE_)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), ...set };
}
