import path from "node:path";
import type { JournalFiles } from "./journal-files.ts";

// A file of random bytes reserves space on the disk for the ends of running requests. A check of free space is not enough,
// because the database or another program on the same disk can fill it between two checks. The bytes are random, because
// a file system with compression stores zeros in no space.

const RESERVE_FILE = "reserve";

export interface JournalReserve {
  isHeld(): boolean;
  /** Reserves the space if the disk has enough. Does nothing on a disk that is almost full. */
  hold(): void;
  /** Releases the space for the next records. False: it was released already. */
  release(): boolean;
}

/** Makes a reserve of `bytes` on the disk. 0: no file is written, and the reserve always counts as held. */
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
      // An earlier process may have left a file.
      if (bytes === 0) removeQuietly(files, file);
      if (isHeld) return;
      try {
        isHeld = files.size(file) === bytes;
        // The disk needs twice the size. Otherwise the reserve would fill the disk, and be released again at once.
        if (isHeld || files.freeBytes(directory) < 2 * bytes) return;
        files.fill(file, bytes);
        isHeld = true;
      } catch {
        removeQuietly(files, file); // A partial reserve only uses space.
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
    // The file is absent, or the disk fails. The write that needs the space then throws the error.
  }
}
