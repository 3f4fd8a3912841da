import { readFile } from "./read-value.ts";
import type { Terminal } from "./terminal.ts";

/** Reads a secret from a file, standard input or a prompt, because process arguments are visible. */
export async function readSecret(path: string, name: string, terminal: Terminal): Promise<string> {
  if (path !== "-") return readFile(path, name).trim();
  if (terminal.isInput) return (await terminal.askSecret(`${name.replace(/^--/, "")}: `)).trim();
  return (await terminal.readInput()).trim();
}
