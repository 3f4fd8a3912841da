import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { chooseServerMemory, findUsableMemory, type ServerPlace } from "./server-size.rule.ts";

const SHARED_MEMORY_FOLDER = "/dev/shm";

/** Reads the facts for the server's size. `memoryBytes`: the configured memory, else a share of the machine's. */
export async function readServerPlace(
  folder: string,
  given: { memoryBytes: number | undefined; connections: number },
): Promise<ServerPlace> {
  const machineBytes = findUsableMemory(totalmem(), process.constrainedMemory());
  const isLinux = process.platform === "linux";
  return {
    memoryBytes: given.memoryBytes ?? chooseServerMemory(machineBytes),
    machineBytes,
    diskBytes: (await readDiskBytes(folder)) ?? Number.POSITIVE_INFINITY,
    sharedFolderBytes: isLinux ? ((await readDiskBytes(SHARED_MEMORY_FOLDER)) ?? 0) : null,
    connections: given.connections,
  };
}

/** Size of the folder's file system. Null: unknown. */
async function readDiskBytes(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null);
  return found === null ? null : found.blocks * found.bsize;
}
