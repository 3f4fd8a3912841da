import { randomBytes } from "node:crypto";
import {
  chmod,
  lchown,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StartError } from "#src/lib/start-error.ts";
import { syncFolder } from "#src/lib/sync-folder.ts";
import type { PostgresBinaries } from "./binaries.ts";
import { explainProcessError, isNamelessUser } from "./explain.ts";
import { openFolderForServer } from "./folder-for-server.ts";
import { runProgram } from "./run-program.ts";
import { type ServerUser, UNPRIVILEGED_USER } from "./server-user.ts";

export const DATABASE_USER = "bursar";
/** Name of the folder in the data folder. */
export const DATABASE_FOLDER = "postgres";

const MAJOR_VERSION = "18";
const VERSION_FILE = "PG_VERSION";
/** Stored in the database's folder, so that a copy or a move includes it. */
const PASSWORD_FILE = "bursar.password";
const STAGING_MARK = ".new-";
const DATA_FOLDER = "data";
const PASSWORD_BYTES = 32;
const INITDB_TIMEOUT_MS = 300_000;

export interface ClusterOptions {
  /** Folder of the database's files: `<dataDir>/postgres`. */
  databaseDir: string;
  binaries: PostgresBinaries;
  user: ServerUser | null;
  /** False only for a temporary database of a test run. */
  isDurable: boolean;
}

export interface Cluster {
  /** Password of the role DATABASE_USER, which owns everything. */
  password: string;
  isNew: boolean;
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
    return { password: await readPassword(databaseDir), isNew: false };
  }
  const password = randomBytes(PASSWORD_BYTES).toString("base64url");
  const staging = `${databaseDir}${STAGING_MARK}${randomBytes(4).toString("hex")}`;
  try {
    await makeCluster(options, staging, password);
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
  return { password, isNew: true };
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
async function makeCluster(
  options: ClusterOptions,
  staging: string,
  password: string,
): Promise<void> {
  await mkdir(staging, { mode: 0o700 });
  await writeFile(join(staging, PASSWORD_FILE), password, { mode: 0o600 });
  try {
    await initialize(options, staging);
  } catch (error) {
    // initdb needs a user with a name, and the server does not. Under root, initdb can run as another user.
    if (options.user === null || !isNamelessUser(error)) throw error;
    await initialize({ ...options, user: UNPRIVILEGED_USER }, staging);
  }
  const kept = join(staging, DATA_FOLDER, PASSWORD_FILE);
  await writeFile(kept, password, { mode: 0o600, flush: options.isDurable });
  if (options.user !== null) await lchown(kept, options.user.uid, options.user.gid);
  await changeOwner(staging, options.user);
}

async function initialize(options: ClusterOptions, staging: string): Promise<void> {
  const { user, binaries } = options;
  await changeOwner(staging, user);
  const folder = await openFolderForServer(staging, user);
  const args = [
    `--pgdata=${join(folder.path, DATA_FOLDER)}`,
    `--pwfile=${join(folder.path, PASSWORD_FILE)}`,
    `--username=${DATABASE_USER}`,
    // The socket's folder excludes other users already. The password protects again, and on loopback TCP.
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
  ];
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

export async function readPassword(databaseDir: string): Promise<string> {
  try {
    return (await readFile(join(databaseDir, PASSWORD_FILE), "utf8")).trim();
  } catch (error) {
    throw makeReadError(join(databaseDir, PASSWORD_FILE), error);
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
