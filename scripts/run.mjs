// `npm start`, `npm test`, `npm run check`, `npm run bench`, `npm run bench:reports`, `npm run soak`, `npm run sim`,
// `npm run screenshots`: installs what is missing,
// then runs the command under a Node that is new enough.
import { spawn, spawnSync } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { checkPort } from "./check-port.mjs";
import { compileCacheFolder, ensureInstalled, findNode, isInstalled, root } from "./runtime.mjs";

const [command, ...rest] = process.argv.slice(2);
const PARENT_CHECK_MS = 250;
const parentPid = process.ppid;
const checks = [
  ["types", "typescript/bin/tsc", ["-p", "tsconfig.json"]],
  ["types of the console", "typescript/bin/tsc", ["-p", "console/tsconfig.json"]],
  ["format and lint", "@biomejs/biome/bin/biome", ["check", "."]],
  ["architecture", null, ["scripts/check-architecture.mjs"]],
  ["dead code", "knip/bin/knip.js", []],
  ["documents", null, ["scripts/check-documents.mjs"]],
];

switch (command) {
  case "start":
    keepCompiledCode();
    if (!isInstalled("server")) await checkPort(root);
    await ensureInstalled("server");
    buildConsole();
    console.error("Starting the server …");
    startServer(rest);
    break;
  case "check":
    await ensureInstalled("all");
    await runChecks();
    break;
  case "test":
    keepCompiledCode();
    await ensureInstalled("all");
    if (rest.length === 0) await runChecks();
    step("tests", "vitest/vitest.mjs", ["run", ...rest]);
    break;
  case "bench":
    await ensureInstalled("all");
    step("benchmark", null, ["bench/run.ts", ...rest]);
    break;
  case "bench:reports":
    await ensureInstalled("all");
    step("benchmark of the reports", null, ["bench/reports.ts", ...rest]);
    break;
  case "soak":
    await ensureInstalled("all");
    step("soak", null, ["bench/soak.ts", ...rest]);
    break;
  case "sim":
    await ensureInstalled("all");
    step("simulation of spend", null, ["server/test/harness/spend-sim/run.ts", ...rest]);
    break;
  case "screenshots":
    await ensureInstalled("all");
    buildConsole();
    step("screenshots", null, ["console/test/screenshots.ts", ...rest]);
    break;
  default:
    console.error(`Unknown command: ${command}`);
    process.exit(2);
}

/** Of everything that is started from here on. */
function keepCompiledCode() {
  process.env.NODE_COMPILE_CACHE = compileCacheFolder();
}

/** Two at a time, each in memory of its own; all of them, so that one look tells everything. */
async function runChecks() {
  const waiting = [...checks];
  let hasFailed = false;
  const work = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const { status, output } = await runQuietly(check[1], check[2]);
      console.error(`\n> ${check[0]}\n${output.trimEnd()}`);
      hasFailed ||= status !== 0;
    }
  };
  await Promise.all([work(), work()]);
  if (hasFailed) process.exit(1);
}

/** Exit status, and what the script said on both streams in the order in which it came. */
async function runQuietly(script, args) {
  const { node, nodeArgs, options } = commandOf(script, args);
  const child = spawn(node, nodeArgs, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const status = await new Promise((resolve) => child.on("close", resolve));
  return { status, output };
}

/** Runs one script of an installed package (or of ours, when `script` is null) and stops when it fails. */
function step(name, script, args) {
  console.error(`\n> ${name}`);
  const { node, nodeArgs, options } = commandOf(script, args);
  const { status } = spawnSync(node, nodeArgs, { ...options, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

function commandOf(script, args) {
  const node = findNode();
  const nodeArgs = script ? [join(root, "node_modules", script), ...args] : args;
  const path = `${dirname(node)}${delimiter}${process.env.PATH ?? ""}`;
  return { node, nodeArgs, options: { cwd: root, env: { ...process.env, PATH: path } } };
}

/** A console that cannot be built is no reason not to serve Claude: the page at `/` then says so. */
function buildConsole() {
  const script = join(root, "scripts", "build-console.mjs");
  spawnSync(findNode(), [script], { cwd: root, stdio: "inherit" });
}

function startServer(args) {
  const main = join(root, "server", "src", "main.ts");
  const child = spawn(findNode(), [main, "start", ...args], { cwd: root, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event) onParentExit(() => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

/**
 * npm sends a signal to its shell alone. Some shells (dash) end without passing it on, and this process then has another
 * parent.
 */
function onParentExit(stop) {
  const timer = setInterval(() => {
    if (process.ppid === parentPid) return;
    clearInterval(timer);
    stop();
  }, PARENT_CHECK_MS);
}
