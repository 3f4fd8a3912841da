// `npm start`, `npm run build`, `npm run dev`, `npm test`, `npm run check`, `npm run bench`, `npm run bench:ingest`,
// `npm run bench:reports`, `npm run bench:upgrade`, `npm run soak`, `npm run sim`, `npm run drill`, `npm run screenshots`, `npm run full-company`,
// `npm run measure-pages`: installs missing packages, then runs the command under a Node that is new enough.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { checkPort } from "./check-port.mjs";
import { runChecks } from "./checks.mjs";
import {
  commandOf,
  compileCacheFolder,
  ensureInstalled,
  findNode,
  isInstalled,
  root,
  SERVER_NODE_OPTIONS,
} from "./runtime.mjs";

const [command, ...rest] = process.argv.slice(2);
const PARENT_CHECK_MS = 250;
const parentPid = process.ppid;

switch (command) {
  case "start":
    keepCompiledCode();
    if (!isInstalled("server")) await checkPort(root);
    await ensureInstalled("server");
    buildConsole();
    console.error("Starting the server …");
    runUntilStopped([...SERVER_NODE_OPTIONS, join("server", "src", "main.ts"), "start", ...rest]);
    break;
  case "dev":
    keepCompiledCode();
    await ensureInstalled("all");
    runUntilStopped([join("scripts", "dev.mjs"), ...rest]);
    break;
  // All steps of `npm start` before the server starts, for a service whose user cannot write to this folder.
  case "build":
    await ensureInstalled("server");
    step("console", null, ["scripts/build-console.mjs"]);
    step("embedded PostgreSQL", null, ["scripts/link-postgres.mjs"]);
    break;
  case "check":
    await ensureInstalled("all");
    await requireChecks({ isFresh: rest.includes("--fresh") });
    break;
  case "test":
    keepCompiledCode();
    await ensureInstalled("all");
    if (rest.length === 0) await requireChecks();
    step("tests", "vitest/vitest.mjs", ["run", ...rest]);
    break;
  case "bench":
    await ensureInstalled("all");
    step("benchmark", null, ["bench/run.ts", ...rest]);
    break;
  case "bench:ingest":
    await ensureInstalled("all");
    step("benchmark of the write path", null, ["bench/ingest.ts", ...rest]);
    break;
  case "bench:upgrade":
    await ensureInstalled("all");
    step("upgrade under load", null, ["bench/upgrade.ts", ...rest]);
    break;
  case "bench:reports":
    await ensureInstalled("all");
    step("benchmark of the reports", null, ["bench/reports.ts", ...rest]);
    break;
  case "soak":
    await ensureInstalled("all");
    step("soak", null, ["bench/soak.ts", ...rest]);
    break;
  case "drill":
    await ensureInstalled("all");
    step("drill", null, ["bench/drill.ts", ...rest]);
    break;
  case "sim":
    await ensureInstalled("all");
    step("simulation of spend", null, ["server/test/harness/spend-sim/run.ts", ...rest]);
    break;
  case "full-company":
    await ensureInstalled("all");
    step("company", null, ["console/test/create-full-company.ts", ...rest]);
    break;
  case "screenshots":
    await ensureInstalled("all");
    buildConsole();
    step("screenshots", null, ["console/test/screenshots.ts", ...rest]);
    break;
  case "measure-pages":
    await ensureInstalled("all");
    step("pages on a slow connection", null, ["console/test/measure-pages.ts", ...rest]);
    break;
  default:
    console.error(`Unknown command: ${command}`);
    process.exit(2);
}

/** Sets the compile cache of every process that starts from here. */
function keepCompiledCode() {
  process.env.NODE_COMPILE_CACHE = compileCacheFolder();
}

/** Exits when a check fails. */
async function requireChecks(options) {
  if (!(await runChecks({ root, ...options }))) process.exit(1);
}

/**
 * Runs a script, and exits when it fails. `script` is that of an installed package, or null for a file of the
 * repository.
 */
function step(name, script, args) {
  console.error(`\n> ${name}`);
  const { node, nodeArgs, options } = commandOf({ root, script, args });
  const { status } = spawnSync(node, nodeArgs, { ...options, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** Builds the console. After a failure the server still serves Claude, and the page at `/` reports it. */
function buildConsole() {
  const script = join(root, "scripts", "build-console.mjs");
  spawnSync(findNode(), [script], { cwd: root, stdio: "inherit" });
}

/** Runs a script of the repository and forwards signals. Exits with its status. */
function runUntilStopped(args) {
  const child = spawn(findNode(), args, { cwd: root, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event) onParentExit(() => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

/**
 * Stops when the parent process changes. npm signals only its shell, and some shells (dash) end without forwarding
 * the signal.
 */
function onParentExit(stop) {
  const timer = setInterval(() => {
    if (process.ppid === parentPid) return;
    clearInterval(timer);
    stop();
  }, PARENT_CHECK_MS);
}
