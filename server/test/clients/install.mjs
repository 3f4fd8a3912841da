// Installs the clients of packages.json into a new folder: install.mjs <folder>. Exits with 1 when one is missing.
// Runs on any installed Node.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? "");
if (process.argv[2] === undefined) {
  console.error("Usage: install.mjs <folder>");
  process.exit(2);
}
const dependencies = JSON.parse(readFileSync(join(here, "packages.json"), "utf8"));
mkdirSync(folder, { recursive: true });
const manifest = { name: "clients", private: true, type: "module", dependencies };
writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
// Programs load packages from their own folder.
cpSync(join(here, "programs"), join(folder, "programs"), { recursive: true });
run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"]);
run(process.execPath, [join(here, "compile-examples.mjs"), folder]);

// The package of Claude Code installs a binary by an install script. A policy against install scripts leaves a stub.
const claude = join(folder, "node_modules", ".bin", "claude");
const { stdout } = run(claude, ["--version"]);
if (!stdout.includes(dependencies["@anthropic-ai/claude-code"])) {
  console.error(`Claude Code was not installed: its version is ${stdout.trim() || "missing"}`);
  process.exit(1);
}

function run(program, args) {
  const result = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  if (result.status === 0) return result;
  const reason = result.error?.message ?? result.stdout + result.stderr;
  console.error(`${program} ${args.join(" ")} failed:\n${reason}`);
  process.exit(1);
}
