import { stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * User of PostgreSQL's processes under root, because PostgreSQL refuses to run as root. Otherwise they run as the
 * current user and there is no ServerUser.
 */
export interface ServerUser {
  uid: number;
  gid: number;
}

/** User without rights that exists on every supported system. */
export const UNPRIVILEGED_USER: ServerUser = { uid: 65534, gid: 65534 };

const OTHERS_EXECUTE = 0o001;
const GROUP_EXECUTE = 0o010;
const OWNER_EXECUTE = 0o100;

/**
 * Chooses the user under root: the unprivileged owner of the database's folder or of the data folder, else
 * UNPRIVILEGED_USER. Null if this process is not root.
 */
export async function chooseServerUser(
  dataDir: string,
  databaseDir: string,
): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  return (
    (await findUnprivilegedOwner(databaseDir)) ??
    (await findUnprivilegedOwner(dataDir)) ??
    UNPRIVILEGED_USER
  );
}

/** True if the permission bits let `user` enter `path`. Access control lists are ignored. */
export async function canReach(path: string, user: ServerUser): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit =
      uid === user.uid ? OWNER_EXECUTE : gid === user.gid ? GROUP_EXECUTE : OTHERS_EXECUTE;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function findUnprivilegedOwner(path: string): Promise<ServerUser | null> {
  const found = await stat(path).catch(() => null);
  if (!found || found.uid === 0) return null;
  return { uid: found.uid, gid: found.gid === 0 ? UNPRIVILEGED_USER.gid : found.gid };
}
