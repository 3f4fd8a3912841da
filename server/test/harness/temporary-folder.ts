import { accessSync, constants, readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";

/** File system in memory that Linux offers to all users. Containers limit it to 64 MB by default. */
const MEMORY_FOLDER = "/dev/shm";
/** Least free space and memory, bytes. The folders of a run that existed at the same time took 0.8 GB. */
const LEAST_FREE_BYTES = 4 * 1024 ** 3;
const ACCESS = constants.R_OK | constants.W_OK | constants.X_OK;

/**
 * Folder for temporary files of a run: TMPDIR, else memory with enough space, else the system's folder. A test server
 * has about 900 files. On ext4 a new file takes many times as long after many files were deleted.
 */
export function chooseTemporaryFolder(): string {
  if (process.env["TMPDIR"] !== undefined || !isMemoryUsable()) return tmpdir();
  return MEMORY_FOLDER;
}

function isMemoryUsable(): boolean {
  try {
    const mounts = readFileSync("/proc/self/mounts", "utf8");
    const [, options] = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(mounts) ?? [];
    // Some tests run programs from their temporary folders.
    if (options === undefined || options.split(",").includes("noexec")) return false;
    accessSync(MEMORY_FOLDER, ACCESS);
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    return Math.min(bavail * bsize, process.availableMemory()) >= LEAST_FREE_BYTES;
  } catch {
    return false; // other systems
  }
}
