// Installs the packages of the lockfile with npm, and shows progress. npm is silent without a terminal, and otherwise
// shows only that it is busy. Plain JavaScript for old Nodes.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { showProgress } from "./show-progress.mjs";

/**
 * Installs the packages and resolves to true on success. `scope`: "server" for production packages, "all" for
 * development too.
 */
export async function installPackages(root, scope) {
  const expected = listPackages(root, scope);
  const missing = new Set(expected);
  const countInstalled = () => {
    for (const path of missing) {
      if (existsSync(join(root, path, "package.json"))) missing.delete(path);
    }
    return expected.length - missing.size;
  };
  const stop = showProgress(() => `${countInstalled()} of ${expected.length} packages, `);
  const { status, output } = await runNpm(root, scope);
  const seconds = stop();
  if (status === 0) console.error(`  ${countInstalled()} packages in ${seconds} s`);
  else console.error(output.trimEnd());
  return status === 0;
}

/** Runs npm. Returns its exit status and its output. */
function runNpm(root, scope) {
  const windows = process.platform === "win32";
  const npmScript = process.env.npm_execpath;
  const args = ["install", "--no-save", "--loglevel=error", "--no-progress", "--ignore-scripts"];
  if (scope === "server") args.push("--omit=dev");
  const options = { cwd: root, stdio: ["ignore", "pipe", "pipe"] };
  const child = npmScript
    ? spawn(process.execPath, [npmScript, ...args], options)
    : spawn(windows ? "npm.cmd" : "npm", args, { ...options, shell: windows });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ status: 1, output: `npm: ${error.message}` }));
    child.on("close", (status) => resolve({ status, output }));
  });
}

/** Paths in the lockfile of the packages for this system. */
function listPackages(root, scope) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const skipped = [];
  return Object.keys(packages).filter((path) => {
    const { dev, link, os, cpu, libc } = packages[path];
    if (!path.includes("node_modules/") || link) return false;
    const isNeeded =
      !(dev && scope === "server") &&
      suits(os, process.platform) &&
      suits(cpu, process.arch) &&
      suits(libc, "glibc") &&
      !skipped.some((parent) => path.startsWith(`${parent}/`));
    if (!isNeeded) skipped.push(path);
    return isNeeded;
  });
}

/** Whether a list such as ["linux", "darwin"] or ["!win32"] includes the value. */
function suits(list, value) {
  if (list === undefined) return true;
  const names = [].concat(list);
  return names.includes(value) || (names[0].startsWith("!") && !names.includes(`!${value}`));
}
