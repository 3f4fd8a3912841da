import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartError } from "#src/lib/start-error.ts";
import { canReach, type ServerUser } from "./server-user.ts";

/** The port is only a part of the socket's file name. */
export const SOCKET_PORT = 5432;

// sockaddr_un holds 108 bytes on Linux and 104 on macOS, the final zero included; PostgreSQL makes `<socket>.lock` too,
// but binds only the first.
const MAX_SOCKET_PATH_BYTES = 103;
/** Anything else would need quoting: commas divide unix_socket_directories, a leading @ means the abstract namespace. */
const PLAIN_PATH = /^\/[A-Za-z0-9/._-]*$/;

/**
 * A folder for the server's socket that only the server's user (and root) can enter. It stands in the temporary folder
 * where that is possible, since a data folder may be a network or shared file system that takes no sockets; it has the
 * same name at each start with the same data folder.
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
    `There is no place for PostgreSQL's socket: neither ${tmpdir()} nor ${dataDir} is writable, and has a path short ` +
      "enough. Set TMPDIR to a short, writable folder.",
  );
}

/** After the server has removed its socket. A folder that holds anything, or is not there, is left alone. */
export async function removeSocketDirectory(folder: string): Promise<void> {
  if (folder.startsWith("/")) await rmdir(folder).catch(() => undefined);
}

/** Whether a socket in `folder` has a path that the system can bind and that needs no quoting. */
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
  if (await isPrivate(folder, user)) return own(folder, user);
  // Somebody else holds the name.
  const other = await mkdtemp(`${folder}-`);
  if (!isUsableAsSocketFolder(other)) throw new Error("path too long");
  return own(other, user);
}

async function isPrivate(folder: string, user: ServerUser | null): Promise<boolean> {
  const found = await lstat(folder);
  if (!found.isDirectory() || (found.mode & 0o077) !== 0) return false;
  return found.uid === process.getuid?.() || found.uid === user?.uid;
}

async function own(folder: string, user: ServerUser | null): Promise<string> {
  await chmod(folder, 0o700);
  if (user !== null) await chown(folder, user.uid, user.gid);
  return folder;
}
