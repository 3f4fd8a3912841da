import { readFileSync } from "node:fs";

/** Of this program: `0.1.0`. */
export const VERSION = readVersion();

function readVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
