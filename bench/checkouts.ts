import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { root } from "./children.ts";

/** Packages of the repository, which each commit has for itself. */
const OWN_PACKAGES = "@bursar";

/**
 * Extracts the files of a commit into a new folder. They run with the dependencies that are installed here. Throws for
 * an unknown commit.
 */
export function checkOut(commit: string, folder: string): void {
  mkdirSync(folder);
  const archive = `${folder}.tar`;
  run("git", ["archive", "--format=tar", `--output=${archive}`, commit]);
  run("tar", ["-xf", archive, "-C", folder]);
  rmSync(archive);
  const [installed, own] = [join(root, "node_modules"), join(folder, "node_modules")];
  mkdirSync(own);
  for (const name of readdirSync(installed)) {
    if (name !== OWN_PACKAGES) symlinkSync(join(installed, name), join(own, name));
  }
  mkdirSync(join(own, OWN_PACKAGES));
  for (const name of readdirSync(join(installed, OWN_PACKAGES))) {
    symlinkSync(join(folder, name), join(own, OWN_PACKAGES, name));
  }
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args[0]}: ${error?.message ?? stderr.trim()}`);
}
