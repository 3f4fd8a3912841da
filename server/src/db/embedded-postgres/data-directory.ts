import { randomBytes } from "node:crypto";
import { chmod, lchown, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StartError } from "#src/lib/start-error.ts";
import { syncFolder } from "#src/lib/sync-folder.ts";
import type { Access } from "./access.rule.ts";
import { replaceFile } from "./access.ts";
import type { PostgresBinaries } from "./binaries.ts";
import { explainProcessError, isNamelessUser } from "./explain.ts";
import { openFolderForServer } from "./folder-for-server.ts";
import { SUPERUSER_ROLE } from "./roles.ts";
import { runProgram } from "./run-program.ts";
import { type ServerUser, UNPRIVILEGED_USER } from "./server-user.ts";

/** Name of the folder in the data folder. */
export const DATABASE_FOLDER = "postgres";

const MAJOR_VERSION = "18";
const VERSION_FILE = "PG_VERSION";
/** Files in the database's folder, so that a copy or a move includes them. Only for access by password. */
const PASSWORD_FILES = { server: "bursar.password", superuser: "superuser.password" };
const STAGING_MARK = ".new-";
const DATA_FOLDER = "data";
const PASSWORD_BYTES = 32;
const INITDB_TIMEOUT_MS = 300_000;

export interface ClusterOptions {
  /** Folder of the database's files: `<dataDir>/postgres`. */
  databaseDir: string;
  binaries: PostgresBinaries;
  user: ServerUser | null;
  access: Access;
  /** False only for a temporary database of a test run. */
  isDurable: boolean;
}

export interface Cluster {
  /** Null: the system identifies clients. */
  passwords: Passwords | null;
  isNew: boolean;
}

/** Passwords of the two roles. */
interface Passwords {
  server: string;
  superuser: string;
}

/**
 * Finds the database's files or creates them. They are created under a temporary name and renamed when complete. So a
 * killed start leaves no partial database, and the next one begins again.
 */
export async function ensureCluster(options: ClusterOptions): Promise<Cluster> {
  const { databaseDir } = options;
  await removeUnfinished(databaseDir);
  if (await hasCluster(databaseDir)) {
    await changeOwner(databaseDir, options.user);
    return { passwords: await ensurePasswords(options, databaseDir), isNew: false };
  }
  let passwords: Passwords | null;
  const staging = `${databaseDir}${STAGING_MARK}${randomBytes(4).toString("hex")}`;
  try {
    passwords = await makeCluster(options, staging);
    await rm(databaseDir, { recursive: true, force: true });
    await rename(join(staging, DATA_FOLDER), databaseDir);
    await rm(staging, { recursive: true });
    if (options.isDurable) await syncFolder(dirname(databaseDir));
  } catch (error) {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
    throw new StartError(
      `Cannot create the database in ${databaseDir}: ${explainProcessError(error)}.`,
      { cause: error },
    );
  }
  return { passwords, isNew: true };
}

/** Removes folders of killed starts. An initdb may still write to one, so the rest is removed at the next start. */
async function removeUnfinished(databaseDir: string): Promise<void> {
  const folder = dirname(databaseDir);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(basename(databaseDir) + STAGING_MARK)) continue;
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function hasCluster(databaseDir: string): Promise<boolean> {
  const entries = await readdir(databaseDir).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw makeReadError(databaseDir, error);
  });
  if (entries.length === 0) return false;
  const version = await readFile(join(databaseDir, VERSION_FILE), "utf8").catch(() => null);
  if (version === null) {
    throw new StartError(
      `${databaseDir} contains files but no PostgreSQL database. Move them away, or set BURSAR_DATA_DIR to another folder.`,
    );
  }
  if (version.trim() !== MAJOR_VERSION) {
    throw new StartError(
      `${databaseDir} contains a database of PostgreSQL ${version.trim()}, but this Bursar includes PostgreSQL ${MAJOR_VERSION}. ` +
        "Start the Bursar that created it, run `bursar backup`, and restore the backup here.",
    );
  }
  return true;
}

/** Creates `<staging>/data`, complete and synced. */
async function makeCluster(options: ClusterOptions, staging: string): Promise<Passwords | null> {
  await mkdir(staging, { mode: 0o700 });
  const passwords = await ensurePasswords(options, staging);
  try {
    await initialize(options, staging);
  } catch (error) {
    // initdb needs a user with a name, and the server does not. Under root, initdb can run as another user.
    if (options.user === null || !isNamelessUser(error)) throw error;
    await initialize({ ...options, user: UNPRIVILEGED_USER }, staging);
  }
  if (passwords !== null) {
    for (const name of Object.values(PASSWORD_FILES)) {
      await rename(join(staging, name), join(staging, DATA_FOLDER, name));
    }
  }
  await changeOwner(staging, options.user);
  return passwords;
}

async function initialize(options: ClusterOptions, staging: string): Promise<void> {
  const { user, binaries, access } = options;
  await changeOwner(staging, user);
  const folder = await openFolderForServer(staging, user);
  const args = [
    `--pgdata=${join(folder.path, DATA_FOLDER)}`,
    `--username=${SUPERUSER_ROLE}`,
    // Each start writes the access before the server starts (access.ts).
    "--auth=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
  ];
  if (access.kind === "password") {
    args.push(`--pwfile=${join(folder.path, PASSWORD_FILES.superuser)}`);
  }
  if (!options.isDurable) args.push("--no-sync");
  try {
    await runProgram({
      program: binaries.initdb,
      args,
      user,
      folder,
      timeoutMs: INITDB_TIMEOUT_MS,
    });
  } finally {
    await folder.close();
  }
}

/**
 * Reads the passwords in `folder`, or creates them. Null without access by password. A folder of an earlier version has the
 * server's only.
 */
async function ensurePasswords(
  { access, user }: ClusterOptions,
  folder: string,
): Promise<Passwords | null> {
  if (access.kind !== "password") return null;
  const ensure = async (name: string) => {
    const known = await readPassword(folder, name);
    if (known !== null) return known;
    const password = randomBytes(PASSWORD_BYTES).toString("base64url");
    await replaceFile(join(folder, name), password, user);
    return password;
  };
  return {
    server: await ensure(PASSWORD_FILES.server),
    superuser: await ensure(PASSWORD_FILES.superuser),
  };
}

/** Reads the password of the server's role. Null: the system identifies clients. */
export function readServerPassword(databaseDir: string): Promise<string | null> {
  return readPassword(databaseDir, PASSWORD_FILES.server);
}

/** Removes the password of an earlier version, which is used no longer. */
export async function removeServerPassword(databaseDir: string): Promise<void> {
  await rm(join(databaseDir, PASSWORD_FILES.server), { force: true });
}

async function readPassword(folder: string, name: string): Promise<string | null> {
  try {
    return (await readFile(join(folder, name), "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw makeReadError(join(folder, name), error);
  }
}

function makeReadError(path: string, error: unknown): StartError {
  return new StartError(
    `Cannot read ${path}: ${explainProcessError(error)}. The database's files belong to the user that first ` +
      "started Bursar here. Start it as that user, or change the owner of the data folder (chown -R).",
    { cause: error },
  );
}

/**
 * Under root: changes the owner of the folder and its contents. The folder comes last, so that a partial change is
 * repeated.
 */
async function changeOwner(folder: string, user: ServerUser | null): Promise<void> {
  const found = await stat(folder);
  if (user === null) {
    if (process.getuid === undefined || found.uid === process.getuid()) await chmod(folder, 0o700);
    return;
  }
  if (found.uid === user.uid) return;
  for (const entry of await readdir(folder, { recursive: true })) {
    await lchown(join(folder, entry), user.uid, user.gid);
  }
  await lchown(folder, user.uid, user.gid);
  await chmod(folder, 0o700);
}
