// Installs the clients of packages.json into a folder of their own: install.mjs <folder>. Ends with 1 when one is missing.
// Written for any Node that the system has.
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
// Programs find their packages beside themselves.
cpSync(join(here, "programs"), join(folder, "programs"), { recursive: true });
run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"]);

// Claude Code is a binary that a script of its package puts in place. A policy against such scripts leaves a stub.
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
