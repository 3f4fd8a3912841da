import { createReadStream, existsSync, openSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import { syncFolder } from "#src/lib/sync-folder.ts";
import { makeJournalMark } from "#src/recording/journal-mark.ts";
import { listUnfinishedJournals } from "#src/recording/node-journal.ts";
import { listUnflushedSegments } from "#src/recording/replay.ts";
import { compressedPath } from "#src/recording/segments.ts";

// Copies the journals of a data folder to a backup: the records that the database lacks, and the ids of their nodes.

export interface JournalFileToCopy {
  /** `journal`, `journal-2`, … */
  folder: string;
  name: string;
  path: string;
  /** Current size. A running server continues to write. */
  bytes: number;
}

const ID_FILES = ["node-id", "journal-id", "installation-id"];

/** `nodes`: flushed position of each journal in the database. An unknown journal is copied completely. */
export async function listJournalFiles(
  dataDir: string,
  nodes: readonly { journalId: string; flushedSeq: number }[],
): Promise<JournalFileToCopy[]> {
  const files: JournalFileToCopy[] = [];
  for (const { index } of listUnfinishedJournals(dataDir)) {
    const folder = index === 1 ? "journal" : `journal-${index}`;
    const directory = join(dataDir, folder);
    const journalId = await readFile(join(directory, "journal-id"), "utf8").catch(() => "");
    const known = nodes.find((node) => node.journalId === journalId.trim());
    const segments = await listUnflushedSegments(directory, known?.flushedSeq ?? 0);
    const ids = ID_FILES.map((name) => join(directory, name)).filter((path) => existsSync(path));
    for (const path of [...ids, ...segments.map(({ file }) => file)]) {
      const { size: bytes } = await stat(path);
      files.push({ folder, name: path.slice(directory.length + 1), path, bytes });
    }
  }
  return files;
}

/** Reads a listed file. A segment that a running server compressed meanwhile is read under its new name. */
export function readJournalFile({ folder, name, path, bytes }: JournalFileToCopy): {
  folder: string;
  name: string;
  source: Readable;
} {
  try {
    const source = createReadStream("", { fd: openSync(path, "r"), end: bytes - 1 });
    return { folder, name, source };
  } catch (error) {
    const compressed = compressedPath(path);
    if (!existsSync(compressed)) throw error;
    return { folder, name: basename(compressed), source: createReadStream(compressed) };
  }
}

const STAGING_SUFFIX = ".restoring";

/**
 * Restores journal files in the order of the backup, and moves each complete folder into place. An existing journal
 * stays, because its content is newer.
 */
export class JournalRestore {
  readonly #dataDir: string;
  readonly #folders = new Set<string>();
  readonly #kept = new Set<string>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async receiveFile(folder: string, name: string, bytes: AsyncIterable<Buffer>): Promise<void> {
    const isThere = existsSync(join(this.#dataDir, folder, "journal-id"));
    if (isThere && !this.#folders.has(folder)) this.#kept.add(folder);
    if (this.#kept.has(folder)) {
      for await (const _ of bytes);
      return;
    }
    const staging = this.#staging(folder);
    if (!this.#folders.has(folder)) {
      this.#folders.add(folder);
      await rm(staging, { recursive: true, force: true });
      await mkdir(staging, { mode: 0o700 });
    }
    const handle = await open(join(staging, name), "wx", 0o600);
    try {
      for await (const chunk of bytes) await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Returns the folders that were restored, and those that stayed. */
  async finish(): Promise<{ restored: string[]; kept: string[] }> {
    for (const folder of this.#folders) {
      const staging = this.#staging(folder);
      const journalId = (await readFile(join(staging, "journal-id"), "utf8")).trim();
      // Later records are missing, so budget that the node held at that time stays unresolved.
      makeJournalMark({ directory: staging, journalId, bootId: null }).set(false);
      const place = join(this.#dataDir, folder);
      await rm(place, { recursive: true, force: true });
      await rename(staging, place);
    }
    await syncFolder(this.#dataDir);
    return { restored: [...this.#folders], kept: [...this.#kept] };
  }

  async abandon(): Promise<void> {
    for (const folder of this.#folders) {
      await rm(this.#staging(folder), { recursive: true, force: true });
    }
  }

  #staging(folder: string): string {
    return join(this.#dataDir, `${folder}${STAGING_SUFFIX}`);
  }
}
