import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { killOnExit, pidOf, stopChild } from "../children.ts";
import { monotonicMs } from "../monotonic.ts";
import type { PeerName } from "../peers/packages.ts";
import { listDescendants } from "../proc.ts";
import { BENCH_MODEL } from "../prompts.ts";
import { findFreePort, waitUntilReady } from "./ports.ts";
import type { StartOptions, Target } from "./target.ts";

// Other gateways, as their own guides start them. They relay to the mock upstream, and nothing is added: no database, no
// cache, no guardrails, no retries, one process. `../README.md` describes each configuration.

export interface InstalledPeer {
  folder: string;
  program: string;
}

/** Command of a peer, and what a request needs. */
interface PeerCommand {
  command: string;
  args: readonly string[];
  env: Record<string, string>;
  /** Path that returns 200 once the peer serves. */
  readyPath: string;
  /** Path of the requests. */
  path: string;
  headers: Record<string, string>;
  /** Configures the running peer. */
  afterStart?: () => Promise<void>;
}

const READY_WITHIN_MS = 90_000; // LiteLLM imports for many seconds
const LOGGED_CHARACTERS = 600; // of the output after a failed start
const STOP_WITHIN_MS = 5_000;
const MESSAGES = "/v1/messages";
const KEY = "sk-ant-api03-peer";
const TOKEN_BYTES = 24; // one-api's tokens have 48 characters, others any number
const ANTHROPIC_CHANNEL = 14; // one-api's number of the Claude API

/** Starts an installed peer. Throws with its output when it does not serve in time. */
export async function startPeer(
  name: PeerName,
  installed: InstalledPeer,
  options: StartOptions,
): Promise<Target> {
  const port = await findFreePort();
  const peer = describePeer(name, { ...installed, port, options });
  const logFile = join(options.folder, "peer.log");
  const log = openSync(logFile, "w");
  const startMs = monotonicMs();
  const child = killOnExit(
    spawn(peer.command, peer.args, {
      cwd: options.folder,
      // Without the settings and keys of this environment.
      env: { PATH: process.env["PATH"] ?? "", HOME: options.folder, ...peer.env },
      stdio: ["ignore", log, log],
    }),
  );
  closeSync(log);
  const pid = pidOf(child);
  const stop = () => stopChild(child, { signal: "SIGTERM", graceMs: STOP_WITHIN_MS });
  const isAlive = () => child.exitCode === null;
  try {
    await waitUntilReady({ port, path: peer.readyPath, timeoutMs: READY_WITHIN_MS, isAlive });
    const readyMs = monotonicMs() - startMs;
    await peer.afterStart?.();
    const pids = [pid, ...listDescendants(pid)];
    const { headers, path } = peer;
    const without = { database: null, createLimitedKeys: null, countRecorded: null };
    return { name, port, path, headers, pids, readyMs, ...without, stop };
  } catch (error) {
    await stop();
    const output = readFileSync(logFile, "utf8").slice(-LOGGED_CHARACTERS);
    throw new Error(`${error instanceof Error ? error.message : error}\n${output}`, {
      cause: error,
    });
  }
}

interface PeerPlace extends InstalledPeer {
  port: number;
  options: StartOptions;
}

function describePeer(name: PeerName, place: PeerPlace): PeerCommand {
  switch (name) {
    case "portkey":
      return describePortkey(place);
    case "claude-code-router":
      return describeRouter(place);
    case "litellm":
      return describeLitellm(place);
    case "one-api":
      return describeOneApi(place);
  }
}

/** Without its console. The headers of each request name the provider and its address. */
function describePortkey({ program, port, options }: PeerPlace): PeerCommand {
  return {
    command: process.execPath,
    args: [program, `--port=${port}`, "--headless"],
    env: { NODE_ENV: "production" },
    readyPath: "/",
    path: MESSAGES,
    headers: {
      "x-api-key": KEY,
      "x-portkey-provider": "anthropic",
      "x-portkey-custom-host": `http://127.0.0.1:${options.upstreamPort}/v1`,
    },
  };
}

/** One provider with the transformer of Anthropic, and no log. */
function describeRouter({ program, port, options }: PeerPlace): PeerCommand {
  const folder = join(options.folder, ".claude-code-router");
  mkdirSync(folder);
  const provider = {
    name: "mock",
    api_base_url: `http://127.0.0.1:${options.upstreamPort}${MESSAGES}`,
    api_key: KEY,
    models: [BENCH_MODEL],
    transformer: { use: ["Anthropic"] },
  };
  const config = {
    HOST: "127.0.0.1",
    PORT: port,
    LOG: false,
    NON_INTERACTIVE_MODE: true,
    Providers: [provider],
    Router: { default: `mock,${BENCH_MODEL}` },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return {
    command: process.execPath,
    args: [program, "start"],
    env: { NODE_ENV: "production" },
    readyPath: "/health",
    path: MESSAGES,
    headers: { "x-api-key": KEY },
  };
}

/** One model, one worker, the master key that it requires, no database. */
function describeLitellm({ program, port, options }: PeerPlace): PeerCommand {
  const configFile = join(options.folder, "config.json");
  const masterKey = `sk-${randomBytes(TOKEN_BYTES).toString("hex")}`;
  const parameters = {
    model: `anthropic/${BENCH_MODEL}`,
    api_base: `http://127.0.0.1:${options.upstreamPort}`,
    api_key: KEY,
  };
  // YAML contains JSON.
  writeFileSync(
    configFile,
    JSON.stringify({ model_list: [{ model_name: BENCH_MODEL, litellm_params: parameters }] }),
  );
  return {
    command: program,
    args: [
      "--config",
      configFile,
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "--num_workers",
      "1",
    ],
    env: {
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
      LITELLM_LOG: "ERROR",
      LITELLM_MASTER_KEY: masterKey,
    },
    readyPath: "/health/liveliness",
    path: MESSAGES,
    headers: { authorization: `Bearer ${masterKey}` },
  };
}

/** One token without a quota, one channel, SQLite. Accepts and returns the format of OpenAI. */
function describeOneApi({ folder, program, port, options }: PeerPlace): PeerCommand {
  const token = randomBytes(TOKEN_BYTES).toString("hex");
  const accessToken = randomBytes(TOKEN_BYTES).toString("hex");
  return {
    command: program,
    args: ["--port", String(port)],
    env: {
      GIN_MODE: "release",
      SQLITE_PATH: join(options.folder, "one-api.db"),
      TIKTOKEN_CACHE_DIR: folder,
      INITIAL_ROOT_TOKEN: token,
      INITIAL_ROOT_ACCESS_TOKEN: accessToken,
    },
    readyPath: "/api/status",
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer sk-${token}` },
    afterStart: async () => {
      const response = await fetch(`http://127.0.0.1:${port}/api/channel/`, {
        method: "POST",
        headers: { authorization: accessToken, "content-type": "application/json" },
        body: JSON.stringify({
          name: "mock",
          type: ANTHROPIC_CHANNEL,
          key: KEY,
          base_url: `http://127.0.0.1:${options.upstreamPort}`,
          models: BENCH_MODEL,
          group: "default",
          config: "{}",
        }),
      });
      const text = await response.text();
      if (!text.includes('"success":true')) throw new Error(`one-api refused its channel: ${text}`);
    },
  };
}
