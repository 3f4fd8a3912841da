import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * User of PostgreSQL's processes under root, because PostgreSQL refuses to run as root. Otherwise they run as the
 * current user and there is no ServerUser.
 */
export interface ServerUser {
  uid: number;
  gid: number;
}

/**
 * User without rights that exists on every supported system. Other programs run as this user too, and each process of a
 * user can read the files of that user's other processes through /proc. So no server runs as it.
 */
export const UNPRIVILEGED_USER: ServerUser = { uid: 65534, gid: 65534 };

/** System user of PostgreSQL under root, created if possible. */
const OWN_NAME = "bursar";
const CREATE_TIMEOUT_MS = 10_000;
/** User ids that systemd's list of ranges leaves unused. They are below 65536, so a container has them. */
const FREE_IDS = { first: 60_578, count: 606 };

const OTHERS_EXECUTE = 0o001;
const GROUP_EXECUTE = 0o010;
const OWNER_EXECUTE = 0o100;

/**
 * Chooses the user under root: the owner of the database's folder or of the data folder, else a user of its own. A folder of
 * UNPRIVILEGED_USER or root gets that user too. Null if this process is not root.
 */
export async function chooseServerUser(
  dataDir: string,
  databaseDir: string,
): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  return (
    (await findUnprivilegedOwner(databaseDir)) ??
    (await findUnprivilegedOwner(dataDir)) ??
    (await ensureOwnUser(databaseDir))
  );
}

/** Returns the system user `bursar`. Creates it, or uses an id without a name where that is not possible. */
async function ensureOwnUser(databaseDir: string): Promise<ServerUser> {
  const found = await findOwnUser();
  if (found !== null) return found;
  const args = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"];
  await run("useradd", [...args, OWN_NAME], { timeout: CREATE_TIMEOUT_MS }).catch(() => undefined);
  const created = await findOwnUser();
  if (created !== null) return created;
  const digest = createHash("sha256").update(databaseDir).digest();
  const id = FREE_IDS.first + (digest.readUInt32BE() % FREE_IDS.count);
  return { uid: id, gid: id };
}

/** Returns the name of a user id in /etc/passwd, or null. */
export async function findUserName(id: number): Promise<string | null> {
  const users = await readUsers();
  return new RegExp(`^([^:\\n]+):[^:\\n]*:${id}:`, "m").exec(users)?.[1] ?? null;
}

async function findOwnUser(): Promise<ServerUser | null> {
  const users = await readUsers();
  const [, uid, gid] = new RegExp(`^${OWN_NAME}:[^:]*:(\\d+):(\\d+):`, "m").exec(users) ?? [];
  const user = { uid: Number(uid), gid: Number(gid) };
  return user.uid > 0 && user.gid > 0 ? user : null;
}

function readUsers(): Promise<string> {
  return readFile("/etc/passwd", "utf8").catch(() => "");
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
  if (!found || found.uid === 0 || found.uid === UNPRIVILEGED_USER.uid) return null;
  return { uid: found.uid, gid: found.gid === 0 ? found.uid : found.gid };
}
