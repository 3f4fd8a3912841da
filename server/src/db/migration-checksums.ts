import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Migration } from "./migration-files.ts";

// A server refuses a database with other applied migrations than its own. So a released migration never changes:
// checksums.json lists the SHA-256 of each one under the version that released it.

/** SHA-256 by version, then by file. */
export type Checksums = Record<string, Record<string, string>>;

export const CHECKSUMS_FILE = join(import.meta.dirname, "migrations", "checksums.json");
const UPDATE_COMMAND = "node server/src/db/update-checksums.ts";

export async function readChecksums(): Promise<Checksums> {
  return JSON.parse(await readFile(CHECKSUMS_FILE, "utf8")) as Checksums;
}

/**
 * Returns a sentence for each migration that differs from the list. The sentence says what to do. `version` is the
 * coming version: its migrations can still change, together with their checksums.
 */
export function findChecksumFaults(
  migrations: readonly Migration[],
  listed: Checksums,
  version: string,
): string[] {
  const byFile = new Map(migrations.map((migration) => [fileOf(migration), migration.sha256]));
  const entries = Object.entries(listed).flatMap(([of, files]) =>
    Object.entries(files).map(([file, sha256]) => ({ of, file, sha256 })),
  );
  const faults = entries.map(({ of, file, sha256 }) => {
    const found = byFile.get(file);
    byFile.delete(file);
    if (found === sha256) return null;
    const change = found === undefined ? "is missing" : "has changed";
    return of === version
      ? `${file} ${change} since its checksum was listed. The file is not released yet: run \`${UPDATE_COMMAND}\`.`
      : `${file} ${change}, and it was released with ${of}: a server refuses a database that applied another one. ` +
          "Restore the file, and put the change into a new migration.";
  });
  const unlisted = [...byFile.keys()].map(
    (file) => `${file} is new and has no checksum: run \`${UPDATE_COMMAND}\`.`,
  );
  return [...faults.filter((fault) => fault !== null), ...unlisted];
}

/** Lists every migration that no earlier version released under `version`. */
export function updateChecksums(
  migrations: readonly Migration[],
  listed: Checksums,
  version: string,
): Checksums {
  const { [version]: _, ...released } = listed;
  const files = new Set(Object.values(released).flatMap((each) => Object.keys(each)));
  const coming = migrations.filter((migration) => !files.has(fileOf(migration)));
  const entries = coming.map((migration) => [fileOf(migration), migration.sha256] as const);
  return entries.length === 0 ? released : { ...released, [version]: Object.fromEntries(entries) };
}

function fileOf({ number, name }: Migration): string {
  return `${String(number).padStart(4, "0")}_${name}.sql`;
}
