// Builds the console when its sources changed since the last build. Otherwise it returns quickly. `npm start` runs
// this script, and packagers may. Needs the Node that runs the server.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { root } from "./runtime.mjs";
import { showProgress } from "./show-progress.mjs";

const consoleFolder = join(root, "console");
const target = join(consoleFolder, "dist");
const STAMP = ".built-from";
/** All inputs of a build. The lockfile stands for the packages. A build that loads another module fails. */
const sources = [
  "console/src",
  "console/index.html",
  "console/sign-in.html",
  "console/build",
  "console/vite.config.ts",
  "console/tsconfig.json",
  "console/package.json",
  "docs/guides",
  "docs/ledger.md",
  "scripts/build-console.mjs",
  "contract/src",
  "contract/package.json",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];
const SMALLEST_TO_COMPRESS = 1024;
/** Holds the process id of a running build. */
const lockFile = `${target}.lock`;
const LOCK_POLL_MS = 100;
/** Then this process builds too. Only the processor time is lost. */
const MAX_LOCK_WAIT_MS = 120_000;

process.exit((await ensureConsole()) ? 0 : 1);

/** Returns whether a current build exists, after building when needed. */
async function ensureConsole() {
  const hash = hashSources();
  if (isBuiltFrom(hash)) return true;
  const isLocked = await waitForOtherBuild();
  try {
    return isBuiltFrom(hash) || (await build(hash));
  } finally {
    if (isLocked) rmSync(lockFile, { force: true });
  }
}

/**
 * Waits while another process builds, for example a second test run in the same folder. Returns whether this process
 * holds the lock.
 */
async function waitForOtherBuild() {
  const deadlineMs = performance.now() + MAX_LOCK_WAIT_MS;
  while (performance.now() < deadlineMs) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: "wx" });
      return true;
    } catch (error) {
      if (error.code !== "EEXIST") return false;
    }
    if (isLockAbandoned()) rmSync(lockFile, { force: true });
    else await delay(LOCK_POLL_MS);
  }
  return false;
}

/** Whether the process of the lock has ended. The file is empty until its process has written its id. */
function isLockAbandoned() {
  try {
    const pid = Number(readFileSync(lockFile, "utf8"));
    return pid > 0 && !isAlive(pid);
  } catch {
    return false; // released meanwhile
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

/** Returns whether the build succeeds. A failed build prints the reason and keeps the last one. */
async function build(hash) {
  console.error("Building the console …");
  const fresh = `${target}.${process.pid}.new`;
  const stopProgress = showProgress(() => "");
  const { status, stderr } = await runVite(fresh);
  if (status === 0) await Promise.all(filesIn(fresh).map(compress));
  stopProgress();
  if (status !== 0) {
    console.error(
      `${stderr}\nThe console could not be built. The server starts without a new one.`,
    );
    rmSync(fresh, { recursive: true, force: true });
    return false;
  }
  writeFileSync(join(fresh, STAMP), `${hash}\n`);
  // Another process built the same sources first. Replacing its build would remove files that a server reads.
  if (isBuiltFrom(hash)) rmSync(fresh, { recursive: true, force: true });
  else replace(fresh);
  return true;
}

/** Builds into the folder. Returns the exit status and the errors. */
async function runVite(folder) {
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const args = [vite, "build", consoleFolder, "--logLevel", "warn"];
  const env = {
    ...process.env,
    NODE_ENV: "production",
    CONSOLE_OUT_DIR: folder,
    CONSOLE_SOURCES: JSON.stringify(sources),
  };
  const stdio = ["ignore", "ignore", "pipe"];
  const child = spawn(process.execPath, args, { cwd: consoleFolder, env, stdio });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const status = await new Promise((resolve) => child.on("close", resolve));
  return { status, stderr };
}

function isBuiltFrom(hash) {
  const stamp = join(target, STAMP);
  return existsSync(stamp) && readFileSync(stamp, "utf8").trim() === hash;
}

/**
 * Replaces the build. A running server keeps the files that it has read. The next one finds the complete new build,
 * or none.
 */
function replace(fresh) {
  const old = `${target}.${process.pid}.old`;
  if (existsSync(target)) renameSync(target, old);
  renameSync(fresh, target);
  rmSync(old, { recursive: true, force: true });
}

function hashSources() {
  const hash = createHash("sha256");
  for (const source of sources) {
    for (const file of filesIn(join(root, source))) {
      hash.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

/** The file, or all files in the folder. The order is equal on every system. */
function filesIn(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Writes compressed copies beside each text file. The server then never compresses. Fonts are compressed already. */
async function compress(file) {
  if (!/\.(html|js|css|svg|json)$/.test(file)) return;
  const bytes = readFileSync(file);
  if (bytes.length < SMALLEST_TO_COMPRESS) return;
  const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  const brotli = promisify(brotliCompress)(bytes, { params: quality });
  writeFileSync(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }));
  writeFileSync(`${file}.br`, await brotli);
}
