import { statfsSync } from "node:fs";

/** Free space of the folder's disk for this user, bytes. Throws the file system's error. */
export function readFreeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
