import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type Access, makeAccessFiles } from "./access.rule.ts";
import { findUserName, type ServerUser } from "./server-user.ts";

const ROOT = "root";
const HBA_FILE = "pg_hba.conf";
const IDENT_FILE = "pg_ident.conf";

/**
 * Chooses how clients are identified. With sockets, root and the server's user have access. PostgreSQL compares names, so a
 * user id without a name relies on the permissions of the socket's folder.
 */
export async function chooseAccess(user: ServerUser | null): Promise<Access> {
  if (process.platform === "win32") return { kind: "password" };
  const ownName = findOwnName();
  if (ownName === null) return { kind: "folder" };
  const serverName = user === null ? null : await findUserName(user.uid);
  const names = new Set([ROOT, ownName, ...(serverName === null ? [] : [serverName])]);
  return { kind: "peer", systemUsers: [...names].sort() };
}

/** Writes the files of the access for the next start of the server. Other content is replaced. */
export async function writeAccessFiles(
  databaseDir: string,
  access: Access,
  user: ServerUser | null,
): Promise<void> {
  const { hba, ident } = makeAccessFiles(access);
  await replaceFile(join(databaseDir, IDENT_FILE), ident, user);
  await replaceFile(join(databaseDir, HBA_FILE), hba, user);
}

/** Root writes into the folder of another user, so an existing file or link is replaced, never opened for writing. */
export async function replaceFile(
  file: string,
  text: string,
  user: ServerUser | null,
): Promise<void> {
  const current = await readFile(file, "utf8").catch(() => null);
  if (current === text) return;
  const staging = `${file}.${randomBytes(4).toString("hex")}`;
  try {
    const handle = await open(staging, "wx", 0o600);
    try {
      await handle.writeFile(text);
      if (user !== null) await handle.chown(user.uid, user.gid);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(staging, file);
  } catch (error) {
    await rm(staging, { force: true }).catch(() => undefined);
    throw error;
  }
}

function findOwnName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null; // the user id has no entry
  }
}
