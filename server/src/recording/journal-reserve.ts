import path from "node:path";
import type { JournalFiles } from "./journal-files.ts";

// A file of random bytes keeps space on the disk for the ends of running requests. A check of free space would not: the
// database or another program on the same disk can fill it between two checks. Random bytes, because a file system that
// compresses would store zeros in no space at all.

const RESERVE_FILE = "reserve";

export interface JournalReserve {
  isHeld(): boolean;
  /** Takes the space where the disk has enough. A disk that is almost full is left alone. */
  hold(): void;
  /** Gives the space to the records that are written next. False where it was given already. */
  release(): boolean;
}

/** Keeps `bytes` of the disk in reserve. 0: nothing is kept, and the reserve always counts as held. */
export function makeJournalReserve(options: {
  files: JournalFiles;
  directory: string;
  bytes: number;
}): JournalReserve {
  const { files, directory, bytes } = options;
  const file = path.join(directory, RESERVE_FILE);
  let isHeld = bytes === 0;

  return {
    isHeld: () => isHeld,
    hold() {
      // Left by a process that kept one.
      if (bytes === 0) removeQuietly(files, file);
      if (isHeld) return;
      try {
        isHeld = files.size(file) === bytes;
        // Twice the size: else the reserve itself would fill the disk, and be given away again at once.
        if (isHeld || files.freeBytes(directory) < 2 * bytes) return;
        files.fill(file, bytes);
        isHeld = true;
      } catch {
        removeQuietly(files, file); // half a reserve only takes space away
      }
    },
    release() {
      if (!isHeld || bytes === 0) return false;
      isHeld = false;
      removeQuietly(files, file);
      return true;
    },
  };
}

function removeQuietly(files: JournalFiles, file: string): void {
  try {
    files.remove(file);
  } catch {
    // Absent, or the disk fails: then the write that needs the space says so.
  }
}
