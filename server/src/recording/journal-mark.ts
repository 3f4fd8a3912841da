import fs from "node:fs";
import path from "node:path";

// Whether a journal has all that was written to it. What a process wrote in the last 50 ms survives its own death, and
// not that of the machine: so a mark stands on the disk while a journal is written, with the boot it is written in.

const MARK_FILE = "written";
const FILE_MODE = 0o600;

interface Mark {
  journalId: string;
  /** The boot in which the journal is written; null where the system does not name it. */
  bootId: string | null;
  /** False from the moment that something may be missing until the database has been told. */
  isWhole: boolean;
}

export interface JournalMark {
  /**
   * Before anything is written. True when the journal has all that was ever written to it: it was closed, or its process
   * died and the machine did not. Once false, it stays so until `set(true)`, over any number of starts.
   */
  open(): boolean;
  /** Durable when it returns or resolves. Throws the error of the disk or the database. */
  set(isWhole: boolean): void | Promise<void>;
  isWhole(): boolean;
  /** After the last record is on disk. Never throws: the mark then says less than it could. */
  close(): void;
}

export interface DiskMark extends JournalMark {
  set(isWhole: boolean): void;
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
        // The next start in this boot reads that all is there; in another one it takes the journal for torn.
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

/** A file's own sync does not cover its name. */
function syncDirectory(directory: string): void {
  // Windows cannot open a folder, and keeps renames in order by itself.
  if (process.platform === "win32") return;
  const fd = fs.openSync(directory, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
