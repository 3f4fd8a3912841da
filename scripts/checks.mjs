// Checks of `npm run check`.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { CACHE_FOLDER, openCheckCache } from "./check-cache.mjs";
import { commandOf } from "./runtime.mjs";

/** TypeScript 7. TypeScript 6 is installed too, for tools that use its API, and takes 2.7 times the processor time. */
const COMPILER = "typescript-7/bin/tsc";
/** Several checkers repeat work: 18.2 s of processor time instead of 10.6 s. */
const ONE_CHECKER = ["--checkers", "1"];
/**
 * The compiler collects garbage only above 3 GB, as a guard. Both type checks then take 10.8 s of processor time instead of
 * 15.4 s. The largest takes 1.5 GB of memory instead of 1.2 GB.
 */
const COMPILER_ENV = { GOGC: "off", GOMEMLIMIT: "3GiB" };
/** A check takes up to 1.5 GB of memory. */
const MOST_AT_ONCE = 4;
const isCode = (path) => !path.endsWith(".md");

/**
 * All checks, the longest first. This order keeps all processors busy to the end. `reads` selects at least the files
 * that a check depends on.
 */
export const checks = [
  {
    name: "types",
    script: COMPILER,
    args: ["-p", "tsconfig.json", ...ONE_CHECKER],
    env: COMPILER_ENV,
    reads: isCode,
  },
  {
    name: "format and lint",
    script: "@biomejs/biome/bin/biome",
    args: ["check", "."],
    reads: isCode,
  },
  {
    name: "types of the console",
    script: COMPILER,
    args: ["-p", "console/tsconfig.json", ...ONE_CHECKER],
    env: COMPILER_ENV,
    reads: (path) => /^(console|contract)[/]|^(tsconfig|package)[.]json$/.test(path),
  },
  { name: "architecture", args: ["scripts/check-architecture.mjs"], reads: () => true },
  {
    name: "dead code",
    script: "knip/bin/knip.js",
    args: ["--cache", "--cache-location", `${CACHE_FOLDER}/knip`],
    reads: isCode,
  },
  { name: "prose", args: ["scripts/check-prose.mjs"], reads: () => true },
  { name: "documents", args: ["scripts/check-documents.mjs"], reads: () => true },
];

/**
 * Runs all checks, also after a failure, and returns whether all passed. A check that passed before on the same files
 * is skipped. `isFresh` deletes all caches first.
 */
export async function runChecks({ root, isFresh = false, print = console.error }) {
  if (isFresh) rmSync(join(root, CACHE_FOLDER), { recursive: true, force: true });
  const cache = openCheckCache(root);
  const waiting = checks.filter((check) => !cache.hasPassed(check));
  for (const check of checks.filter((check) => !waiting.includes(check))) {
    print(`\n> ${check.name}: passed before on the same files`);
  }
  const passed = [];
  const total = waiting.length;
  const work = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const startedAt = performance.now();
      const { status, output } = await runCheck(root, check);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      print(`\n> ${check.name} (${seconds} s)\n${output.trimEnd()}`);
      if (status === 0) passed.push(check);
    }
  };
  const workers = Math.min(Math.max(cpus().length, 2), MOST_AT_ONCE);
  await Promise.all(Array.from({ length: workers }, work));
  if (passed.length > 0) cache.addPassed(passed);
  return passed.length === total;
}

/** Runs one check. Returns its exit status, and the output of both streams in order. */
export async function runCheck(root, { script, args, env = {} }) {
  const { node, nodeArgs, options } = commandOf({ root, script, args });
  const child = spawn(node, nodeArgs, {
    ...options,
    env: { ...options.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const status = await new Promise((resolve) => child.on("close", resolve));
  return { status, output };
}
