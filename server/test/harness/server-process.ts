import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, realpathSync, rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Agent, fetch as socketFetch } from "undici";
import { makeLocalApi } from "#src/cli/local-api.ts";
import { getSocketPath } from "#src/lib/local-socket.ts";
import {
  findSocketFolder,
  killPostgres,
  postgresPid,
  queryDatabase,
  sendSignal,
} from "./embedded-database.ts";
import { withinBound } from "./eventually.ts";
import { passMonthEnd } from "./month-end.ts";
import { copyPreparedDatabase, TEST_MEMORY_BYTES } from "./prepared-database.ts";
import { PASSWORD_COST_VARIABLE, prepareServerBundle } from "./server-bundle.ts";
import { requireTestProject } from "./test-project.ts";

// The whole product as one operating-system process, on its own data folder with its own embedded PostgreSQL.
// Everything that starts here ends with the test file, also after a failure.

requireTestProject("product");
// Waits here, outside the time limits of tests and hooks.
await passMonthEnd();

/** Root folder of the repository. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));
const mainScript = await prepareServerBundle();

const READY_MS = 60_000; // the first start creates a database, which takes long on a busy machine with two cores
const EXIT_MS = 45_000;
const OUTPUT_MS = 1_000;
const POLL_MS = 10;
const CAPTURED_CHARS = 4_000_000;
/** A larger young generation means fewer garbage collections during the start: 5 % less processor time. */
const NODE_ARGS = ["--min-semi-space-size=16"];

export interface ServerOptions {
  /** Variables added to a clean environment. `BURSAR_HTTP` is the only setting of the test run that is passed on. */
  env?: Record<string, string>;
  /** Arguments after `start`. Default: `--simulator`, or none when `env` names an upstream. */
  args?: readonly string[];
  /** Name of the data folder, inside a new temporary folder. */
  folderName?: string;
  /** Existing data folder to use instead. */
  dataDir?: string;
  /** Admin key of that data folder. Otherwise `adminKey` creates one. */
  adminKey?: string;
  /**
   * Whether the new data folder has no database. The server then creates one. Otherwise the folder has a prepared one
   * without rows.
   */
  isDatabaseMissing?: boolean;
}

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed JSON body, or undefined. */
  // Tests read any field of a response. Their assertions say which ones exist.
  json: Record<string, unknown> | undefined;
}

export interface WorkspaceWithKey {
  workspaceId: string;
  apiKeyId: string;
  key: string;
}

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  readonly env: Record<string, string>;
  /** Milliseconds from spawning the process to `server.json`. */
  readonly readyMs: number;
  /** Output of the process so far (the last four million characters). */
  output(): string;
  stderr(): string;
  exited: Promise<ExitStatus>;
  /** Admin key, created through the admin socket as `bursar admin-keys create` does. Always the same one. */
  adminKey(): Promise<string>;
  /** Creates a workspace and a key in it. */
  workspaceWithKey(options?: KeyOptions): Promise<WorkspaceWithKey>;
  /** Calls the Admin API with the admin key. */
  admin(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<Answer>;
  /** Calls the Admin API and expects success. Throws with the response text otherwise. */
  mustAdmin(
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: object,
  ): Promise<Record<string, unknown>>;
  /** Calls the Admin API through the admin socket, as an owner. */
  operator(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<Answer>;
  mustOperator(
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: object,
  ): Promise<Record<string, unknown>>;
  /**
   * Runs one statement on the server's own database, and signs the rows that the server would sign. bigint columns return
   * as text, so cast them.
   */
  sql<T extends object>(statement: string, values?: readonly unknown[]): Promise<T[]>;
  /** Stops the server by SIGTERM or another signal. Throws unless it exits with 0 and leaves no process. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Kills the process (SIGKILL). Nothing is cleaned up, and the next start stops its PostgreSQL. */
  kill(): Promise<void>;
  /** Starts a new process on the data folder, after `stop` or `kill`. */
  restart(options?: Pick<ServerOptions, "env" | "args">): Promise<ServerProcess>;
}

export interface KeyOptions {
  name?: string;
  permission?: "read" | "write" | "admin";
  expiresAt?: string;
  /** Tags of the key. */
  tags?: Readonly<Record<string, string>>;
}

interface Started {
  child: ChildProcess;
  dataDir: string;
}

const running = new Set<Started>();
const folders = new Set<string>();

/** Kills every process that this file started, and removes their folders. For `afterAll`. */
export async function stopAllServers(): Promise<void> {
  for (const { child } of running) if (child.exitCode === null) child.kill("SIGKILL");
  await Promise.all([...running].map(({ child }) => waitForExit(child)));
  for (const { dataDir } of running) await killPostgres(dataDir);
  running.clear();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

process.on("exit", () => {
  for (const { child, dataDir } of running) {
    child.kill("SIGKILL");
    const pid = postgresPid(dataDir);
    if (pid !== null) sendSignal(pid, "SIGKILL");
  }
});

/** Creates a temporary folder that is removed with the servers. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bursar-test-"));
  folders.add(folder);
  return folder;
}

/** Starts a server and waits until it serves. Throws with its output when it ends or times out. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const dataDir = options.dataDir ?? (await makeDataFolder(options));
  const env = serverEnvironment(dataDir, options.env);
  const args = options.args ?? (hasUpstream(env) ? [] : ["--simulator"]);
  const startedAt = performance.now();
  const launched = launchServer(env, args);
  const { child } = launched;
  running.add({ child, dataDir });
  const url = await waitUntilReady(launched, dataDir);
  const socketFolder = findSocketFolder(dataDir);
  if (socketFolder !== null) folders.add(socketFolder);
  const { adminKey } = options;
  const readyMs = performance.now() - startedAt;
  return makeServer({ launched, dataDir, env, url, readyMs, adminKey });
}

async function makeDataFolder(options: ServerOptions): Promise<string> {
  const { folderName = "data", env = {}, isDatabaseMissing = false } = options;
  const dataDir = join(await temporaryFolder(), folderName);
  const isEmbedded = env["DATABASE_URL"] === undefined && env["DATABASE_URL_FILE"] === undefined;
  if (isEmbedded && !isDatabaseMissing) await copyPreparedDatabase(dataDir);
  return dataDir;
}

/** Starts a server and kills it after `afterMs`, at any point. */
export async function startAndKill(options: ServerOptions, afterMs: number): Promise<void> {
  const { dataDir } = options;
  if (dataDir === undefined) throw new Error("startAndKill needs an existing folder");
  const env = serverEnvironment(dataDir, options.env);
  const { child } = launchServer(env, options.args ?? (hasUpstream(env) ? [] : ["--simulator"]));
  running.add({ child, dataDir });
  await delay(afterMs);
  child.kill("SIGKILL");
  await waitForExit(child);
}

export interface FailedStart {
  code: number | null;
  output: string;
}

/** Starts a server that must refuse to start. Returns its exit code and output. */
export async function startAndFail(options: ServerOptions): Promise<FailedStart> {
  // No database is prepared, because a refused start does not reach it.
  const dataDir = options.dataDir ?? join(await temporaryFolder(), "data");
  const env = serverEnvironment(dataDir, options.env);
  const launched = launchServer(env, options.args ?? ["--simulator"]);
  running.add({ child: launched.child, dataDir });
  const { code } = await withinBound(
    waitForExit(launched.child),
    EXIT_MS,
    "a refused start to end",
  );
  return { code, output: launched.output() };
}

/** About 5 ms for each password. */
const PASSWORD_COST = "1024";
/** Environment with the cost of real servers. */
export const REAL_PASSWORD_COST = { [PASSWORD_COST_VARIABLE]: "131072" };

/** Environment of a server or a command on the data folder. */
export function serverEnvironment(
  dataDir: string,
  extra: Record<string, string> = {},
): Record<string, string> {
  const system = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "SystemRoot", "NODE_COMPILE_CACHE"];
  const kept = [...system, "BURSAR_HTTP"];
  const env: Record<string, string> = {};
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  const small = {
    BURSAR_POSTGRES_MEMORY: `${TEST_MEMORY_BYTES}B`,
    BURSAR_WARM_UP: "0s",
    [PASSWORD_COST_VARIABLE]: PASSWORD_COST,
  };
  return { ...env, BURSAR_DATA_DIR: dataDir, BURSAR_PORT: "0", ...small, ...extra };
}

interface Launched {
  child: ChildProcess;
  output: () => string;
  stderr: () => string;
}

function launchServer(env: Record<string, string>, args: readonly string[]): Launched {
  const child = spawn(process.execPath, [...NODE_ARGS, mainScript, "start", ...args], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let all = "";
  let errors = "";
  const keep = (chunk: Buffer) => {
    all = (all + chunk.toString("utf8")).slice(-CAPTURED_CHARS);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", (chunk: Buffer) => {
    keep(chunk);
    errors = (errors + chunk.toString("utf8")).slice(-CAPTURED_CHARS);
  });
  return { child, output: () => all, stderr: () => errors };
}

async function waitUntilReady({ child, output }: Launched, dataDir: string): Promise<string> {
  const file = join(dataDir, "server.json");
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      await waitForExit(child);
      throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}:\n${output()}`);
    }
    const written = existsSync(file) ? await readServerFile(file) : null;
    // The banner is printed last, and tests that read it must not be too early.
    if (written !== null && written.pid === child.pid && output().includes(written.url)) {
      return written.url;
    }
    await delay(POLL_MS);
  }
  throw new Error(`the server was not ready within ${READY_MS} ms:\n${output()}`);
}

// The file of an earlier process may disappear between search and read.
async function readServerFile(file: string): Promise<{ url: string; pid: number } | null> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as { url: string; pid: number };
  } catch {
    return null;
  }
}

interface Parts {
  launched: Launched;
  dataDir: string;
  env: Record<string, string>;
  url: string;
  readyMs: number;
  adminKey: string | undefined;
}

function makeServer({ launched, dataDir, env, url, readyMs, ...parts }: Parts): ServerProcess {
  const { child } = launched;
  let adminKey = parts.adminKey === undefined ? undefined : Promise.resolve(parts.adminKey);
  const server: ServerProcess = {
    url,
    pid: child.pid ?? -1,
    dataDir,
    env,
    readyMs,
    output: launched.output,
    stderr: launched.stderr,
    exited: waitForExit(child),
    adminKey: () => {
      adminKey ??= createAdminKey(dataDir);
      return adminKey;
    },
    workspaceWithKey: (options) => createWorkspaceWithKey(server, options),
    admin: async (method, path, body) =>
      callAdmin(url, await server.adminKey(), method, path, body),
    mustAdmin: async (method, path, body) =>
      mustSucceed(`${method} ${path}`, await server.admin(method, path, body)),
    operator: (method, path, body) => callOperator(dataDir, method, path, body),
    mustOperator: async (method, path, body) =>
      mustSucceed(`${method} ${path}`, await server.operator(method, path, body)),
    sql: <T extends object>(statement: string, values?: readonly unknown[]) =>
      queryDatabase<T>(dataDir, env, statement, values),
    stop: async (name = "SIGTERM") => {
      child.kill(name);
      const ended = await withinBound(server.exited, EXIT_MS, `the server to end after ${name}`);
      if (ended.code !== 0) {
        throw new Error(`${name}: exit ${ended.code ?? ended.signal}\n${launched.output()}`);
      }
      if (postgresPid(dataDir) !== null) throw new Error(`${name} left PostgreSQL running`);
      if (existsSync(join(dataDir, "server.json"))) throw new Error(`${name} left server.json`);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await server.exited;
    },
    restart: (options = {}) => startServer({ ...options, env: options.env ?? env, dataDir }),
  };
  return server;
}

function mustSucceed(call: string, { status, json, text }: Answer): Record<string, unknown> {
  if (status !== 200 || json === undefined) throw new Error(`${call}: ${status} ${text}`);
  return json;
}

async function callOperator(
  dataDir: string,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const socketPath = getSocketPath(realpathSync(dataDir), "admin.sock");
  const socket = new Agent({ connect: { socketPath } });
  try {
    const response = await socketFetch(`http://localhost${path}`, {
      method,
      dispatcher: socket,
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    return await toAnswer(response as unknown as Response);
  } finally {
    await socket.close();
  }
}

/** Sends an HTTP call with a key in `x-api-key`. Never throws for a status. */
export async function callAdmin(
  url: string,
  key: string | null,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const headers: Record<string, string> = { "anthropic-version": "2023-06-01" };
  if (key !== null) headers["x-api-key"] = key;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(url + path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return toAnswer(response);
}

export interface MessageRequest {
  model?: string;
  text?: string;
  maxTokens?: number;
  stream?: boolean;
}

/** Sends `POST /v1/messages` with a workspace's key. */
export async function sendMessage(
  url: string,
  key: string,
  {
    model = "claude-haiku-4-5-20251001",
    text = "Hello",
    maxTokens = 64,
    stream,
  }: MessageRequest = {},
): Promise<Answer> {
  const body = {
    model,
    max_tokens: maxTokens,
    ...(stream !== undefined && { stream }),
    messages: [{ role: "user", content: text }],
  };
  return callAdmin(url, key, "POST", "/v1/messages", body);
}

export async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parseObject(text) };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

async function createAdminKey(dataDir: string): Promise<string> {
  const made = await makeLocalApi(dataDir)("POST", "/v1/admin/admin_keys", { name: "test" });
  return textField(made, "key");
}

let workspaceCount = 0;

async function createWorkspaceWithKey(
  server: ServerProcess,
  { name, permission = "write", expiresAt, tags }: KeyOptions = {},
): Promise<WorkspaceWithKey> {
  workspaceCount += 1;
  const workspace = await server.mustAdmin("POST", "/v1/admin/workspaces", {
    name: name ?? `Workspace ${workspaceCount}`,
  });
  const workspaceId = textField(workspace, "id");
  const apiKey = await server.mustAdmin("POST", "/v1/admin/api_keys", {
    name: "test",
    workspace_id: workspaceId,
    permissions: [permission],
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(tags !== undefined && { tags }),
  });
  return { workspaceId, apiKeyId: textField(apiKey, "id"), key: textField(apiKey, "key") };
}

/** Text field of a JSON object. Throws when missing. */
export function textField(value: unknown, name: string): string {
  const found = (value as Record<string, unknown>)[name];
  if (typeof found !== "string") throw new Error(`no "${name}" in ${JSON.stringify(value)}`);
  return found;
}

function hasUpstream(env: Record<string, string>): boolean {
  return "ANTHROPIC_API_KEY" in env || "ANTHROPIC_UPSTREAM_URL" in env;
}

function waitForExit(child: ChildProcess): Promise<ExitStatus> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, name) => {
      // "close" means that all output has been read. A PostgreSQL that outlives the process may keep the pipes open.
      const done = () => resolve({ code, signal: name });
      child.once("close", done);
      setTimeout(done, OUTPUT_MS).unref();
    });
  });
}
