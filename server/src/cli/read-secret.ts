import { readFile } from "./read-value.ts";
import type { Terminal } from "./terminal.ts";

/** From a file, from what is piped in, or typed: the arguments of a process are no secret. */
export async function readSecret(path: string, name: string, terminal: Terminal): Promise<string> {
  if (path !== "-") return readFile(path, name).trim();
  if (terminal.isInput) return (await terminal.askSecret(`${name.replace(/^--/, "")}: `)).trim();
  return (await terminal.readInput()).trim();
}
