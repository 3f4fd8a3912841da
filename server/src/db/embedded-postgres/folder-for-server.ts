import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { StartError } from "#src/lib/start-error.ts";
import { canReach, type ServerUser } from "./server-user.ts";

/** Access of a child process to the database's folder. */
export interface FolderForServer {
  /** The folder's name in the child. */
  path: string;
  /** Working directory that the child can enter. */
  cwd: string;
  /** Open descriptors that the child inherits, from number 3. */
  descriptors: readonly number[];
  close(): Promise<void>;
}

const FIRST_INHERITED_DESCRIPTOR = 3;

/**
 * Opens the folder for a child process of another user. That user cannot enter a folder below /root or a private home
 * folder, even its own. On Linux the child inherits an open descriptor and uses /proc/self/fd, which needs no
 * permission on parent folders. Elsewhere the whole path must be accessible. Otherwise a StartError says so.
 */
export async function openFolderForServer(
  folder: string,
  user: ServerUser | null,
): Promise<FolderForServer> {
  if (user === null) return openByPath(folder);
  if (process.platform === "linux") {
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    return openByDescriptor(handle);
  }
  if (await canReach(folder, user)) return openByPath(folder);
  throw new StartError(
    `PostgreSQL does not run as root. User id ${user.uid}, which would run PostgreSQL, cannot enter ${folder}. ` +
      "Start Bursar as an ordinary user, or set BURSAR_DATA_DIR to a folder whose parents all users can enter.",
  );
}

export function openByPath(folder: string): FolderForServer {
  return { path: folder, cwd: folder, descriptors: [], close: async () => undefined };
}

function openByDescriptor(handle: FileHandle): FolderForServer {
  return {
    path: `/proc/self/fd/${FIRST_INHERITED_DESCRIPTOR}`,
    cwd: "/",
    descriptors: [handle.fd],
    close: () => handle.close(),
  };
}
