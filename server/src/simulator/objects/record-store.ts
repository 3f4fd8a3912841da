import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

// Records as files of a folder, so that all processes of a data folder see the same objects, also after a crash. No
// record is in memory.

export interface StoredRecord {
  id: string;
}

/** Records of one kind, each with its other files, whose names begin with its id. */
export interface RecordStore<Item extends StoredRecord> {
  /** Writes a record as a whole. Above the store's bound, the oldest records are removed. */
  put(record: Item): Promise<void>;
  find(id: string): Promise<Item | null>;
  /** Ids, newest first. */
  listIds(): Promise<string[]>;
  /** Removes a record and its files. False: no such record. */
  remove(id: string): Promise<boolean>;
  /** Path of another file of a record. The folder exists. */
  pathFor(id: string, suffix: string): Promise<string>;
  /** Bytes of all files. */
  sumBytes(): Promise<number>;
}

interface RecordStoreOptions {
  folder: string;
  /** Prefix of the ids, which sort by their time. */
  prefix: string;
  maxRecords: number;
  maxBytes: number;
  /** Wall clock, which the times of files follow. */
  nowMs: () => number;
}

/** No upload takes longer. */
const ORPHAN_AGE_MS = 6 * 60 * 60_000;
/** Number of writes of one process after which it compares the store with its bounds. */
const WRITES_BETWEEN_SWEEPS = 50;

export function makeRecordStore<Item extends StoredRecord>(
  options: RecordStoreOptions,
): RecordStore<Item> {
  const { folder, prefix, maxRecords, maxBytes, nowMs } = options;
  const idPattern = new RegExp(`^${prefix}[0-9A-Za-z]{1,64}$`);
  const made = once(() => mkdir(folder, { recursive: true, mode: 0o700 }));
  const pathOf = (id: string, suffix: string) => join(folder, `${id}.${suffix}`);
  let writes = 0;

  async function listIds(): Promise<string[]> {
    await made();
    const names = await readdir(folder);
    return names
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length))
      .sort()
      .reverse();
  }

  async function remove(id: string): Promise<boolean> {
    if (!idPattern.test(id)) return false;
    await made();
    const names = (await readdir(folder)).filter((name) => name.startsWith(`${id}.`));
    const hadRecord = names.includes(`${id}.json`);
    // The record first: without it the object is gone, even if the process ends here.
    if (hadRecord) await rm(pathOf(id, "json"), { force: true });
    await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
    return hadRecord;
  }

  async function sumBytes(): Promise<number> {
    await made();
    const sizes = await Promise.all((await readdir(folder)).map((name) => sizeOf(folder, name)));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Removes files of records that a killed process never wrote. */
  async function removeOrphans(): Promise<void> {
    const recorded = new Set(await listIds());
    for (const name of await readdir(folder)) {
      const [id = ""] = name.split(".");
      if (recorded.has(id)) continue;
      const found = await stat(join(folder, name)).catch(absent);
      const isOld = found !== null && nowMs() - found.mtimeMs > ORPHAN_AGE_MS;
      if (isOld) await rm(join(folder, name), { force: true });
    }
  }

  async function sweep(): Promise<void> {
    await removeOrphans();
    const ids = await listIds();
    let excess = (await sumBytes()) - maxBytes;
    for (const [index, id] of ids.toReversed().entries()) {
      if (ids.length - index <= maxRecords && excess <= 0) return;
      const names = (await readdir(folder)).filter((name) => name.startsWith(`${id}.`));
      for (const name of names) excess -= await sizeOf(folder, name);
      await remove(id);
    }
  }

  return {
    async put(record) {
      await made();
      const part = pathOf(record.id, "part");
      await writeFile(part, JSON.stringify(record), { mode: 0o600 });
      await rename(part, pathOf(record.id, "json"));
      if (writes++ % WRITES_BETWEEN_SWEEPS === 0) await sweep();
    },
    async find(id) {
      if (!idPattern.test(id)) return null;
      const text = await readFile(pathOf(id, "json"), "utf8").catch(absent);
      return text === null ? null : (JSON.parse(text) as Item);
    },
    listIds,
    remove,
    async pathFor(id, suffix) {
      await made();
      return pathOf(id, suffix);
    },
    sumBytes,
  };
}

async function sizeOf(folder: string, name: string): Promise<number> {
  const found = await stat(join(folder, name)).catch(absent);
  return found?.size ?? 0;
}

/** Null for a missing file. Throws other errors. */
function absent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}

function once(make: () => Promise<unknown>): () => Promise<unknown> {
  let made: Promise<unknown> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
