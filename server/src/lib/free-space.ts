import { statfsSync } from "node:fs";

/** Space that this user may still write on the disk of a folder, bytes. Throws the file system's error. */
export function readFreeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
