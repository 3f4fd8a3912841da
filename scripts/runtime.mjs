// Finds a Node that can run the sources, and installs missing packages. Plain JavaScript for old Nodes, because this
// file runs first on a new machine, under the Node of the system.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages } from "./install-packages.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const OLDEST_NODE = 24;
/**
 * Options of Node for every process that serves requests. A collection of the young generation stops all requests. At
 * 1,000 requests a second it takes 4 to 5 ms with V8's own size, and 1.4 ms with 8 MB. One helper thread of V8 instead of
 * four leaves half of a single core to requests while it compiles (decision 0066). At a low rate, V8 would mark its whole heap
 * every few seconds. With this growth it waits until the heap has doubled (decision 0090).
 */
export const SERVER_NODE_OPTIONS = [
  "--max-semi-space-size=8",
  "--v8-pool-size=1",
  "--heap-growing-percent=100",
];
const stampFile = join(root, "node_modules", ".bursar-install");

/** Path of a Node ≥ 24: this one, or the one that npm installed. Exits with a message without one. */
export function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= OLDEST_NODE) return process.execPath;
  const windows = process.platform === "win32";
  const packageName = `node-${windows ? "win" : process.platform}-${process.arch}`;
  const local = join(root, "node_modules", packageName, "bin", windows ? "node.exe" : "node");
  if (existsSync(local) && spawnSync(local, ["--version"]).status === 0) return local;
  console.error(
    `Bursar needs Node ${OLDEST_NODE} or newer, and this is ${process.version}. Install a newer Node for this system and start again.`,
  );
  process.exit(1);
}

/** Command that runs a script. `script` is that of an installed package, or null for a file below `root`. */
export function commandOf({ root, script, args }) {
  const node = findNode();
  const nodeArgs = script ? [join(root, "node_modules", script), ...args] : args;
  const path = `${dirname(node)}${delimiter}${process.env.PATH ?? ""}`;
  return { node, nodeArgs, options: { cwd: root, env: { ...process.env, PATH: path } } };
}

/**
 * Folder of Node's compile cache. A start then takes two thirds of the time. In a read-only folder nothing is cached.
 * NODE_COMPILE_CACHE takes precedence.
 */
export function compileCacheFolder() {
  return process.env.NODE_COMPILE_CACHE ?? join(cacheHome(), "bursar");
}

function cacheHome() {
  if (process.env.XDG_CACHE_HOME) return process.env.XDG_CACHE_HOME;
  let home = "";
  try {
    home = homedir();
  } catch {
    // The user is unknown to the system, as in some containers.
  }
  return join(home || join(root, "node_modules"), ".cache");
}

/** True when the dependencies of the lockfile are installed: all of them, or those of the server. */
export function isInstalled(scope) {
  if (!existsSync(stampFile)) return false;
  const [hash, installed] = readFileSync(stampFile, "utf8").trim().split(" ");
  return hash === lockHash() && (installed === "all" || installed === scope);
}

/**
 * Installs from the lockfile when needed. `scope`: "server" for production packages, "all" for development tools too.
 */
export async function ensureInstalled(scope) {
  if (isInstalled(scope)) return;
  console.error(
    scope === "all"
      ? "Installing all packages for the tests …"
      : "Installing the packages of the server, once. This takes a minute or two …",
  );
  if (!(await installPackages(root, scope))) {
    console.error("npm could not install the dependencies. Its output is above.");
    process.exit(1);
  }
  markInstalled(scope);
}

/** Records that the packages of the lockfile are installed. */
export function markInstalled(scope) {
  writeFileSync(stampFile, `${lockHash()} ${scope}\n`);
}

function lockHash() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}
