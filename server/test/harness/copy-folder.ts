import { execFile } from "node:child_process";
import { cp } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Copies a folder to a new path, with the owner of each file. Node's own copy does not keep the owner, and under root
 * the files of PostgreSQL have another one.
 */
export async function copyFolder(source: string, target: string): Promise<void> {
  if (process.platform === "win32") await cp(source, target, { recursive: true });
  else await run("cp", ["-R", "-p", source, target]);
}
