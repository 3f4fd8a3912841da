import { execFile } from "node:child_process";
import { cp } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Copies a folder to a path that does not exist. Under root the files of PostgreSQL belong to another user: `cp -p` keeps
 * the owner, which Node's own function does not.
 */
export async function copyFolder(source: string, target: string): Promise<void> {
  if (process.platform === "win32") await cp(source, target, { recursive: true });
  else await run("cp", ["-R", "-p", source, target]);
}
