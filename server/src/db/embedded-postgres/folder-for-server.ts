import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { StartError } from "#src/lib/start-error.ts";
import { canReach, type ServerUser } from "./server-user.ts";

/** How a child process names and reaches the database's folder. */
export interface FolderForServer {
  /** The folder's name in the child. */
  path: string;
  /** A working directory that the child may enter. */
  cwd: string;
  /** Open descriptors the child inherits from number 3 on. */
  descriptors: readonly number[];
  close(): Promise<void>;
}

const FIRST_INHERITED_DESCRIPTOR = 3;

/**
 * Another user cannot walk to a folder below /root or a closed home folder, even when the folder itself is its own. On
 * Linux the child inherits the folder as an open descriptor and names it through /proc/self/fd, which needs no right on
 * the folders above. Elsewhere the whole path must be open, or a StartError says so.
 */
export async function openFolderForServer(
  folder: string,
  user: ServerUser | null,
): Promise<FolderForServer> {
  if (user === null) return byPath(folder);
  if (process.platform === "linux") {
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    return byDescriptor(handle);
  }
  if (await canReach(folder, user)) return byPath(folder);
  throw new StartError(
    `PostgreSQL does not run as root; it would run as user id ${user.uid}, which cannot enter ${folder}. ` +
      "Start Bursar as an ordinary user, or set BURSAR_DATA_DIR to a folder whose parents everyone may enter.",
  );
}

export function byPath(folder: string): FolderForServer {
  return { path: folder, cwd: folder, descriptors: [], close: async () => undefined };
}

function byDescriptor(handle: FileHandle): FolderForServer {
  return {
    path: `/proc/self/fd/${FIRST_INHERITED_DESCRIPTOR}`,
    cwd: "/",
    descriptors: [handle.fd],
    close: () => handle.close(),
  };
}
