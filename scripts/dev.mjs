// `npm run dev`: the server, restarted on source changes, behind the console with hot reload. Both use a separate
// data folder with a sample company. `npm run dev -- --help` lists the options.
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from "node:fs";
import { join, relative, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isTaken } from "./check-port.mjs";
import { root } from "./runtime.mjs";

const HELP = `Usage: npm run dev -- [options]
  --port N    port of the console and the API (8485); the server behind listens on the next port
  --empty     create the data folder without the sample company: begin at the set-up link
  --reset     delete the data folder first
  --inspect   open the inspector of the server on port 9229
The data folder is data-dev, or BURSAR_DATA_DIR.`;
const HOST = "127.0.0.1";
/** Editors and git write several files at once. */
const DEBOUNCE_MS = 150;
const POLL_MS = 50;
/** Longest stop of a server: its drain, its last records and a hanging embedded PostgreSQL. */
const STOP_MS = 45_000;
const SERVER_SOURCE = /^(?!.*\.test\.ts$).*\.(ts|sql|json|html)$/;

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "8485" },
    empty: { type: "boolean", default: false },
    reset: { type: "boolean", default: false },
    inspect: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const port = Number(options.port);
/** A host name, because passkeys do not work at an IP address. */
const consoleUrl = `http://localhost:${port}`;
const serverUrl = `http://${HOST}:${port + 1}`;
const dataDir = resolve(root, process.env.BURSAR_DATA_DIR || "data-dev");
/** Marks a data folder of this command: `{ company }`, once complete. */
const markFile = join(dataDir, "dev.json");

/** Running processes by name: "company", "server", "console". */
const children = new Map();
/** "running" | "restarting" | "stopping" */
let state = "running";
/** Names of the children whose sources changed since they started. */
const changed = new Set();

if (options.help) exitWith(HELP, 0);
if (!Number.isInteger(port) || port < 1 || port > 65_534) exitWith(HELP, 2);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void stopAll(0));
await checkFree();
const { company } = await prepareData();
startConsole();
startServer();
await waitForServer();
// The server prints its banner right after the file that ends the wait.
await delay(POLL_MS);
printAddresses(company);
watchSources();

function exitWith(text, code) {
  console.error(text);
  process.exit(code);
}

/** Exits when a port or the data folder is in use. */
async function checkFree() {
  const pid = readServerPid();
  if (pid !== null && isRunning(pid)) {
    exitWith(`Process ${pid} serves the data folder ${showFolder()}. Stop it first.`, 1);
  }
  for (const each of [port, port + 1]) {
    if (!(await isTaken({ host: HOST, port: each }))) continue;
    exitWith(`Port ${each} is in use. Stop that program, or choose another port with --port.`, 1);
  }
}

/**
 * Returns the mark of the data folder. Creates the folder when missing or incomplete. Exits when the folder belongs
 * to another server: this command must never fill or delete it.
 */
async function prepareData() {
  const isNew = !existsSync(dataDir) || readdirSync(dataDir).length === 0;
  if (!isNew && !existsSync(markFile)) {
    exitWith(`${showFolder()} has data of another server. Set BURSAR_DATA_DIR to a new folder.`, 1);
  }
  const mark = isNew ? {} : JSON.parse(readFileSync(markFile, "utf8"));
  if (mark.company !== undefined && !options.reset) return mark;
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(markFile, "{}\n");
  const created = { company: options.empty ? null : await createCompany() };
  writeFileSync(markFile, `${JSON.stringify(created)}\n`, { mode: 0o600 });
  return created;
}

/** Fills the data folder. Returns the owner's sign-in and a key. */
async function createCompany() {
  console.error(`Creating the sample company in ${showFolder()} …`);
  const args = ["console/test/create-company.ts", dataDir];
  const child = startChild("company", args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  const code = await new Promise((done) => child.on("close", done));
  if (state === "stopping") return new Promise(() => undefined);
  if (code !== 0) exitWith("The sample company could not be created. The reason is above.", 1);
  return JSON.parse(output);
}

/**
 * Environment of every child. The database is always embedded and the upstream always the simulator, so that a sample
 * company never reaches a real database or the Claude API.
 */
function makeEnvironment() {
  const { DATABASE_URL, DATABASE_URL_FILE, ANTHROPIC_API_KEY, ANTHROPIC_API_KEY_FILE, ...kept } =
    process.env;
  return {
    ...kept,
    BURSAR_DATA_DIR: dataDir,
    BURSAR_HOST: HOST,
    BURSAR_PORT: String(port + 1),
    BURSAR_PUBLIC_URL: consoleUrl,
    BURSAR_DRAIN: "1s",
  };
}

/** Starts a child that is in `children` until it ends. */
function startChild(name, args, { stdio = ["ignore", "inherit", "inherit"] } = {}) {
  const child = spawn(process.execPath, args, { cwd: root, env: makeEnvironment(), stdio });
  children.set(name, child);
  child.on("exit", () => {
    if (children.get(name) === child) children.delete(name);
  });
  return child;
}

function startServer() {
  const inspector = options.inspect ? ["--inspect"] : [];
  const child = startChild("server", [...inspector, "server/src/main.ts", "start", "--simulator"]);
  child.on("exit", () => {
    if (state === "running") console.error("The server ended. The next change restarts it.");
  });
}

function startConsole() {
  const child = startChild("console", ["scripts/dev-console.mjs", String(port), serverUrl]);
  child.on("exit", () => {
    if (state === "running") void stopAll(1);
  });
}

/** Resolves once the current server is ready, or has ended. */
async function waitForServer() {
  const child = children.get("server");
  while (children.get("server") === child && readServerPid() !== child?.pid) await delay(POLL_MS);
}

function readServerPid() {
  try {
    return JSON.parse(readFileSync(join(dataDir, "server.json"), "utf8")).pid;
  } catch {
    return null;
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function printAddresses(found) {
  const lines = [
    "",
    `  console and API  ${consoleUrl}`,
    `  server           ${serverUrl}`,
    ...(found === null
      ? ["  sign-in          none yet: the set-up link is above"]
      : [
          `  sign-in          ${found.email} · ${found.password}`,
          `  workspace key    export API_KEY=${found.apiKey}`,
        ]),
    `  command line     BURSAR_DATA_DIR=${showFolder()} ./bursar …`,
    "",
    "  Ctrl-C stops everything. `npm run dev -- --reset` begins with new data.",
    "",
  ];
  console.error(lines.join("\n"));
}

function showFolder() {
  const path = relative(root, dataDir);
  return path.startsWith("..") ? dataDir : path;
}

function watchSources() {
  let timer;
  for (const folder of ["server/src", "contract/src"]) {
    watch(join(root, folder), { recursive: true }, (_, name) => {
      if (name === null || !SERVER_SOURCE.test(name)) return;
      changed.add("server");
      // Vite reads the contract once, when it starts.
      if (folder === "contract/src") changed.add("console");
      clearTimeout(timer);
      timer = setTimeout(() => void restart(join(folder, name)), DEBOUNCE_MS);
    });
  }
}

/** Restarts the children whose sources changed, including later changes. */
async function restart(path) {
  if (state !== "running") return;
  state = "restarting";
  console.error(`\n${path} changed: restarting …`);
  const startedAt = performance.now();
  while (changed.size > 0) {
    const names = [...changed];
    changed.clear();
    await Promise.all(names.map(stopChild));
    if (state === "stopping") return;
    if (names.includes("console")) startConsole();
    if (names.includes("server")) startServer();
    await waitForServer();
  }
  if (state === "stopping") return;
  if (!children.has("console")) return stopAll(1);
  state = "running";
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (children.has("server")) console.error(`Restarted in ${seconds} s.`);
  else console.error("The server did not start. The next change restarts it.");
}

/** Resolves once the child has ended. Resolves at once without a child. */
async function stopChild(name) {
  const child = children.get(name);
  if (child === undefined) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(timer);
}

async function stopAll(code) {
  if (state === "stopping") return;
  state = "stopping";
  await Promise.all([...children.keys()].map(stopChild));
  process.exit(code);
}
