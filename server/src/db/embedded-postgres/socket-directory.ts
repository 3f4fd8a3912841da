import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartError } from "#src/lib/start-error.ts";
import { canReach, type ServerUser } from "./server-user.ts";

/** Port, which is only a part of the socket's file name. */
export const SOCKET_PORT = 5432;

// sockaddr_un has 108 bytes on Linux and 104 on macOS, including the final zero. PostgreSQL also creates
// `<socket>.lock`, but binds only the first.
const MAX_SOCKET_PATH_BYTES = 103;
/** Other characters need quoting: commas separate unix_socket_directories, a leading @ means the abstract namespace. */
const PLAIN_PATH = /^\/[A-Za-z0-9/._-]*$/;

/**
 * Creates a folder for the server's socket that only the server's user and root can enter. The temporary folder is
 * preferred, because a data folder can be on a network file system without sockets. The name depends only on the data
 * folder.
 */
export async function makeSocketDirectory(
  dataDir: string,
  user: ServerUser | null,
): Promise<string> {
  const owner = user?.uid ?? process.getuid?.() ?? 0;
  const digest = createHash("sha256").update(dataDir).digest("hex").slice(0, 12);
  const candidates = [
    { parent: tmpdir(), name: `bursar-${owner}-${digest}` },
    { parent: "/tmp", name: `bursar-${owner}-${digest}` },
    { parent: dataDir, name: "socket" },
  ];
  for (const { parent, name } of candidates) {
    if (!isUsableAsSocketFolder(join(parent, name))) continue;
    if (user !== null && !(await canReach(parent, user).catch(() => false))) continue;
    const made = await makePrivateFolder(parent, name, user).catch(() => null);
    if (made !== null) return made;
  }
  throw new StartError(
    `No folder for PostgreSQL's socket: neither ${tmpdir()} nor ${dataDir} is writable and has a short ` +
      "enough path. Set TMPDIR to a short, writable folder.",
  );
}

/** Removes the folder after the server removed its socket. A missing folder, or one with files, is ignored. */
export async function removeSocketDirectory(folder: string): Promise<void> {
  if (folder.startsWith("/")) await rmdir(folder).catch(() => undefined);
}

/** True if a socket in `folder` has a path that the system can bind and that needs no quoting. */
export function isUsableAsSocketFolder(folder: string): boolean {
  const socket = join(folder, `.s.PGSQL.${SOCKET_PORT}`);
  return PLAIN_PATH.test(folder) && Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES;
}

async function makePrivateFolder(
  parent: string,
  name: string,
  user: ServerUser | null,
): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder, { mode: 0o700 }).catch(() => undefined);
  if (await isPrivate(folder, user)) return takeOwnership(folder, user);
  // Another user owns the name.
  const other = await mkdtemp(`${folder}-`);
  if (!isUsableAsSocketFolder(other)) throw new Error("path too long");
  return takeOwnership(other, user);
}

async function isPrivate(folder: string, user: ServerUser | null): Promise<boolean> {
  const found = await lstat(folder);
  if (!found.isDirectory() || (found.mode & 0o077) !== 0) return false;
  return found.uid === process.getuid?.() || found.uid === user?.uid;
}

async function takeOwnership(folder: string, user: ServerUser | null): Promise<string> {
  await chmod(folder, 0o700);
  if (user !== null) await chown(folder, user.uid, user.gid);
  return folder;
}
