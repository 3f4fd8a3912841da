import { readFileSync } from "node:fs";
import { StartError } from "#src/lib/start-error.ts";

/** Reads certificate and key in PEM. Null: not configured. Throws a StartError for an unreadable file. */
export function readTls(files: {
  tlsCertFile?: string | undefined;
  tlsKeyFile?: string | undefined;
}): { cert: string; key: string } | null {
  const { tlsCertFile, tlsKeyFile } = files;
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return null;
  return { cert: read(tlsCertFile), key: read(tlsKeyFile) };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new StartError(`Cannot read the TLS file ${path}.`);
  }
}
