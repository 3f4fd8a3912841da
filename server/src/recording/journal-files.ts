import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { readFreeBytes } from "#src/lib/free-space.ts";

/** File operations of a journal. Tests replace them to fill or break the disk. */
export interface JournalFiles {
  /** Creates a file for appending. Throws an error if it exists. */
  create(file: string): JournalFile;
  list(directory: string): string[];
  remove(file: string): void;
  /** Renames a file. Replaces a file that has the new name. */
  rename(file: string, newFile: string): void;
  /** Size of a file, bytes. Null: it does not exist. */
  size(file: string): number | null;
  /** Writes a file of random bytes to the disk. The bytes are durable on return. */
  fill(file: string, bytes: number): void;
  /** Space that this user can still write on the disk of a folder, bytes. */
  freeBytes(directory: string): number;
  /** Makes a created or removed name durable. */
  syncDirectory(directory: string): Promise<void>;
}

export interface JournalFile {
  /** Appends all bytes, or throws the file system's error. A part of the bytes can then be in the file. */
  append(bytes: Buffer): void;
  /** Cuts the file back to `size` bytes. */
  truncate(size: number): void;
  sync(): Promise<void>;
  close(): void;
}

const fdatasync = promisify(fs.fdatasync);
const SEGMENT_MODE = 0o600;
const FILL_CHUNK_BYTES = 1024 * 1024;

export const nodeJournalFiles: JournalFiles = {
  create(file) {
    const fd = fs.openSync(file, "ax", SEGMENT_MODE);
    return {
      append(bytes) {
        let written = fs.writeSync(fd, bytes);
        // On a nearly full disk a write can be short. The next call then throws the reason.
        while (written < bytes.length) written += fs.writeSync(fd, bytes, written);
      },
      truncate: (size) => fs.ftruncateSync(fd, size),
      sync: () => fdatasync(fd),
      close: () => fs.closeSync(fd),
    };
  },
  list: (directory) => fs.readdirSync(directory),
  remove: (file) => fs.unlinkSync(file),
  rename: (file, newFile) => fs.renameSync(file, newFile),
  size: (file) => fs.statSync(file, { throwIfNoEntry: false })?.size ?? null,
  fill(file, bytes) {
    const fd = fs.openSync(file, "w", SEGMENT_MODE);
    try {
      for (let written = 0; written < bytes; written += FILL_CHUNK_BYTES) {
        fs.writeFileSync(fd, randomBytes(Math.min(FILL_CHUNK_BYTES, bytes - written)));
      }
      fs.fdatasyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  freeBytes: readFreeBytes,
  async syncDirectory(directory) {
    // Windows cannot open a folder, and its file system keeps names durable without a sync.
    if (path.sep === "\\") return;
    const handle = await fs.promises.open(directory, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOSPC" || code === "EDQUOT";
}
