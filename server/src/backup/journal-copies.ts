import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "#src/lib/sync-folder.ts";
import { makeJournalMark } from "#src/recording/journal-mark.ts";
import { listLeftJournals } from "#src/recording/node-journal.ts";
import { listUnflushedSegments } from "#src/recording/replay.ts";

// The journals of a data folder in a backup: of each the part that the database does not have, and the names of its node.

export interface JournalFileToCopy {
  /** `journal`, `journal-2`, … */
  folder: string;
  name: string;
  path: string;
  /** What it has now: a running server goes on writing. */
  bytes: number;
}

const ID_FILES = ["node-id", "journal-id", "installation-id"];

/** `nodes`: what the database has of each journal. A journal that it does not know is copied whole. */
export async function listJournalFiles(
  dataDir: string,
  nodes: readonly { journalId: string; flushedSeq: number }[],
): Promise<JournalFileToCopy[]> {
  const files: JournalFileToCopy[] = [];
  for (const { index } of listLeftJournals(dataDir)) {
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

const STAGING_SUFFIX = ".restoring";

/**
 * Takes the files of journals, in the order of the backup, and puts each folder in its place when it is whole. One that the
 * data folder has already stays: it knows more.
 */
export class JournalRestore {
  readonly #dataDir: string;
  readonly #folders = new Set<string>();
  readonly #kept = new Set<string>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async take(folder: string, name: string, bytes: AsyncIterable<Buffer>): Promise<void> {
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

  /** Gives the folders that were put in place, and those that stayed as they were. */
  async finish(): Promise<{ restored: string[]; kept: string[] }> {
    for (const folder of this.#folders) {
      const staging = this.#staging(folder);
      const journalId = (await readFile(join(staging, "journal-id"), "utf8")).trim();
      // What was written after the copy was made is missing: money that the node had then stays unresolved.
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
