import { execFile } from "node:child_process";
import { cp } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Copies a folder to a new path, with its owners. Node's own copy changes them, and under root the files of
 * PostgreSQL have another owner.
 */
export async function copyFolder(source: string, target: string): Promise<void> {
  if (process.platform === "win32") await cp(source, target, { recursive: true });
  else await run("cp", ["-R", "-p", source, target]);
}
