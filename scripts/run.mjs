// `npm start`, `npm test`, `npm run check`, `npm run bench`, `npm run bench:reports`, `npm run soak`, `npm run sim`,
// `npm run screenshots`: installs what is missing,
// then runs the command under a Node that is new enough.
import { spawn, spawnSync } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { ensureInstalled, findNode, root } from "./runtime.mjs";

const [command, ...rest] = process.argv.slice(2);
const checks = [
  ["format and lint", "@biomejs/biome/bin/biome", ["check", "."]],
  ["types", "typescript/bin/tsc", ["-p", "tsconfig.json"]],
  ["types of the console", "typescript/bin/tsc", ["-p", "console/tsconfig.json"]],
  ["architecture", null, ["scripts/check-architecture.mjs"]],
  ["dead code", "knip/bin/knip.js", []],
];

switch (command) {
  case "start":
    ensureInstalled("server");
    buildConsole();
    startServer(rest);
    break;
  case "check":
    ensureInstalled("all");
    runChecks();
    break;
  case "test":
    ensureInstalled("all");
    if (rest.length === 0) runChecks();
    buildConsole();
    step("tests", "vitest/vitest.mjs", ["run", ...rest]);
    break;
  case "bench":
    ensureInstalled("all");
    step("benchmark", null, ["bench/run.ts", ...rest]);
    break;
  case "bench:reports":
    ensureInstalled("all");
    step("benchmark of the reports", null, ["bench/reports.ts", ...rest]);
    break;
  case "soak":
    ensureInstalled("all");
    step("soak", null, ["bench/soak.ts", ...rest]);
    break;
  case "sim":
    ensureInstalled("all");
    step("simulation of spend", null, ["server/test/harness/spend-sim/run.ts", ...rest]);
    break;
  case "screenshots":
    ensureInstalled("all");
    buildConsole();
    step("screenshots", null, ["console/test/screenshots.ts", ...rest]);
    break;
  default:
    console.error(`Unknown command: ${command}`);
    process.exit(2);
}

function runChecks() {
  for (const [name, script, args] of checks) step(name, script, args);
}

/** Runs one script of an installed package (or of ours, when `script` is null) and stops at the first that fails. */
function step(name, script, args) {
  console.error(`\n> ${name}`);
  const node = findNode();
  const scriptArgs = script ? [join(root, "node_modules", script), ...args] : args;
  const path = `${dirname(node)}${delimiter}${process.env.PATH ?? ""}`;
  const env = { ...process.env, PATH: path };
  const { status } = spawnSync(node, scriptArgs, { cwd: root, stdio: "inherit", env });
  if (status !== 0) process.exit(status ?? 1);
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
  child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}
