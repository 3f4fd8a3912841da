import fs from "node:fs";
import path from "node:path";
import type { Logger } from "#src/lib/logger.ts";

// The mark says whether a journal has all records that were written to it. Records of the last 50 ms survive the death of
// the process, but not of the machine. So the disk has a mark while a journal is written, with the id of the current boot.

const MARK_FILE = "written";
const FILE_MODE = 0o600;

interface Mark {
  journalId: string;
  /** Boot in which the journal is written. Null: the system has no id for it. */
  bootId: string | null;
  /** False while records may be missing and the database does not know of the gap. */
  isWhole: boolean;
}

export interface JournalMark {
  /**
   * Reads the mark before the first write. True: the journal has all its records, because it was closed, or because its
   * process died and the machine did not. A false mark stays false until `set(true)`, over any number of starts.
   */
  open(): boolean;
  /** Stores the mark, durably when this returns or resolves. Throws the error of the disk or the database. */
  set(isWhole: boolean): void | Promise<void>;
  isWhole(): boolean;
  /** Removes the mark, after the last record is on disk. Never throws. */
  close(): void;
}

export interface DiskMark extends JournalMark {
  set(isWhole: boolean): void;
}

/** Sets the mark, on disk before this returns. Logs a failure. Never rejects. */
export async function setMarkOrLog(
  mark: JournalMark,
  isWhole: boolean,
  logger: Logger,
): Promise<void> {
  try {
    await mark.set(isWhole);
  } catch (error) {
    logger.error({ err: error }, "the journal's mark cannot be written");
  }
}

export function makeJournalMark(options: {
  directory: string;
  journalId: string;
  bootId: string | null;
}): DiskMark {
  const { directory, journalId, bootId } = options;
  const file = path.join(directory, MARK_FILE);
  let isWhole = true;

  function set(value: boolean): void {
    isWhole = value;
    const mark: Mark = { journalId, bootId, isWhole };
    const draft = `${file}.new`;
    const fd = fs.openSync(draft, "w", FILE_MODE);
    try {
      fs.writeSync(fd, `${JSON.stringify(mark)}\n`);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(draft, file);
    syncDirectory(directory);
  }

  return {
    open() {
      const found = readMark(file);
      const isSameBoot = found.kind === "found" && bootId !== null && found.mark.bootId === bootId;
      const isOurs = found.kind === "found" && found.mark.journalId === journalId;
      set(found.kind === "absent" || (isOurs && isSameBoot && found.mark.isWhole));
      return isWhole;
    },
    set,
    isWhole: () => isWhole,
    close() {
      if (!isWhole) return;
      try {
        fs.rmSync(file, { force: true });
      } catch {
        // With the mark, a start in the same boot finds a whole journal. A start in another boot reports a gap.
      }
    },
  };
}

type FoundMark = { kind: "absent" } | { kind: "damaged" } | { kind: "found"; mark: Mark };

function readMark(file: string): FoundMark {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isAbsent ? { kind: "absent" } : { kind: "damaged" };
  }
  try {
    const { journalId, bootId, isWhole } = JSON.parse(text) as Partial<Mark>;
    if (typeof journalId !== "string" || typeof isWhole !== "boolean") return { kind: "damaged" };
    const boot = typeof bootId === "string" ? bootId : null;
    return { kind: "found", mark: { journalId, bootId: boot, isWhole } };
  } catch {
    return { kind: "damaged" };
  }
}

/** Makes the name of a file durable. A sync of the file itself does not. */
function syncDirectory(directory: string): void {
  // Windows cannot open a folder, and keeps renames in order without a sync.
  if (process.platform === "win32") return;
  const fd = fs.openSync(directory, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
