// Completes an installation of the server by `npm ci` in an image. Removes packages that the server does not load,
// and records that the others are installed.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { markInstalled, root } from "./runtime.mjs";

const WORKSPACES = ["contract", "server"];

const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
removeOtherPackages(findNeededPackages());
markInstalled("server");

/**
 * Lockfile paths of all packages that the server depends on. The rest is a third of all bytes: optional peers such as
 * vite, react and vitest, which npm installs for the console or for development.
 */
function findNeededPackages() {
  const needed = new Set();
  const waiting = [...WORKSPACES];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (needed.has(path)) continue;
    needed.add(path);
    for (const name of listDependencies(packages[path])) {
      const found = findPackage(path, name);
      if (found !== null) waiting.push(found);
    }
  }
  return needed;
}

function listDependencies({
  dependencies = {},
  optionalDependencies = {},
  peerDependencies = {},
  peerDependenciesMeta = {},
}) {
  const peers = Object.keys(peerDependencies).filter(
    (name) => !peerDependenciesMeta[name]?.optional,
  );
  return [...Object.keys(dependencies), ...Object.keys(optionalDependencies), ...peers];
}

/** Path of the package that a file in `from` loads. Null when not installed. */
function findPackage(from, name) {
  const folders = from.split("/");
  for (let depth = folders.length; depth >= 0; depth--) {
    if (folders[depth - 1] === "node_modules") continue;
    const path = [...folders.slice(0, depth), "node_modules", name].join("/");
    const found = packages[path];
    if (found !== undefined) return found.link ? found.resolved : path;
  }
  return null;
}

function removeOtherPackages(needed) {
  for (const [path, { link }] of Object.entries(packages)) {
    const isPackage = path.includes("node_modules/") && !link;
    if (isPackage && !needed.has(path)) rmSync(join(root, path), { recursive: true, force: true });
  }
  // Both files name the removed packages too.
  rmSync(join(root, "node_modules", ".bin"), { recursive: true, force: true });
  rmSync(join(root, "node_modules", ".package-lock.json"), { force: true });
}
