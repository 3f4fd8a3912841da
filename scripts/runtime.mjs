// Finds a Node that can run the sources, and installs what is missing. Plain JavaScript for old Nodes: this file is
// the first thing that runs on a fresh machine, under whatever Node the system has.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages } from "./install-packages.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const OLDEST_NODE = 24;
const stampFile = join(root, "node_modules", ".bursar-install");

/** Path of a Node ≥ 24: this one, or the one that npm put beside the dependencies. Exits with one sentence if none. */
export function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= OLDEST_NODE) return process.execPath;
  const windows = process.platform === "win32";
  const packageName = `node-${windows ? "win" : process.platform}-${process.arch}`;
  const local = join(root, "node_modules", packageName, "bin", windows ? "node.exe" : "node");
  if (existsSync(local) && spawnSync(local, ["--version"]).status === 0) return local;
  console.error(
    `Bursar needs Node ${OLDEST_NODE} or newer, and this is ${process.version}: install a newer Node for this system and start again.`,
  );
  process.exit(1);
}

/** How to run one script of an installed package, or a file below `root` when no script is named. */
export function commandOf({ root, script, args }) {
  const node = findNode();
  const nodeArgs = script ? [join(root, "node_modules", script), ...args] : args;
  const path = `${dirname(node)}${delimiter}${process.env.PATH ?? ""}`;
  return { node, nodeArgs, options: { cwd: root, env: { ...process.env, PATH: path } } };
}

/**
 * Where Node keeps compiled code between runs: a start takes two thirds of the time. Where the folder cannot be written,
 * nothing is kept. What the environment says of Node's own goes before.
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
    // A user whom the system does not know, as in containers that choose one.
  }
  return join(home || join(root, "node_modules"), ".cache");
}

/** True when the dependencies of the lockfile are installed: all of them, or those that the server needs. */
export function isInstalled(scope) {
  if (!existsSync(stampFile)) return false;
  const [hash, installed] = readFileSync(stampFile, "utf8").trim().split(" ");
  return hash === lockHash() && (installed === "all" || installed === scope);
}

/** Installs from the lockfile when needed. `scope`: "server" for what runs, "all" for the tools of development too. */
export async function ensureInstalled(scope) {
  if (isInstalled(scope)) return;
  console.error(
    scope === "all"
      ? "Installing everything that the tests need …"
      : "Installing what the server needs: this takes a minute or two, once …",
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
