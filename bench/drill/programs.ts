import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  type ServerUser,
  UNPRIVILEGED_USER,
} from "../../server/src/db/embedded-postgres/server-user.ts";
import { root } from "../children.ts";

/** Programs of a cluster with Patroni. */
export interface DrillPrograms {
  patroni: string;
  etcd: string;
  haproxy: string;
  /** Folder with the programs of PostgreSQL. */
  postgresBin: string;
  /** User of the programs under root, because PostgreSQL refuses to run as root. */
  user: ServerUser | null;
}

const PYTHON_PACKAGES = ["patroni[etcd3]==4.1.5", "psycopg2-binary==2.9.13"];
/** Debian's programs are not in the PATH of every user. */
const FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
const DEBIAN_POSTGRES = "/usr/lib/postgresql";

/** A missing program, with the command that installs it. */
export class MissingProgram extends Error {}

/**
 * Finds the programs of Debian's packages, and installs Patroni with pip into a cache folder. Throws a MissingProgram.
 * Uses PostgreSQL of `postgresBin`, else Debian's newest one.
 */
export function findDrillPrograms(postgresBin: string | undefined): DrillPrograms {
  const user = process.getuid?.() === 0 ? UNPRIVILEGED_USER : null;
  return {
    etcd: findProgram("etcd", "etcd-server"),
    haproxy: findProgram("haproxy", "haproxy"),
    postgresBin: postgresBin ?? findPostgres(),
    patroni: installPatroni(user),
    user,
  };
}

function findProgram(name: string, debianPackage: string): string {
  const found = FOLDERS.map((folder) => join(folder, name)).find(existsSync);
  if (found !== undefined) return found;
  throw new MissingProgram(`${name} is missing. On Debian: apt-get install ${debianPackage}`);
}

function findPostgres(): string {
  const versions = existsSync(DEBIAN_POSTGRES) ? readdirSync(DEBIAN_POSTGRES) : [];
  const newest = Math.max(...versions.map(Number).filter(Number.isInteger));
  const bin = join(DEBIAN_POSTGRES, String(newest), "bin");
  if (existsSync(join(bin, "pg_basebackup"))) return bin;
  throw new MissingProgram(
    "PostgreSQL is missing. On Debian: apt-get install postgresql. Elsewhere: --postgres-bin FOLDER",
  );
}

/** Returns the path of the program. The first call takes some seconds. */
function installPatroni(user: ServerUser | null): string {
  // PostgreSQL's user can read this folder, whatever the owner of the clone.
  const cache = user === null ? join(root, "node_modules", ".cache") : "/var/cache";
  const folder = join(cache, "bursar-drill-patroni");
  const program = join(folder, "bin", "patroni");
  if (existsSync(program)) return program;
  console.log(`Installing ${PYTHON_PACKAGES.join(" and ")} into ${folder}`);
  mkdirSync(cache, { recursive: true });
  const python = findPython(user);
  execFileSync(python, ["-m", "venv", "--clear", folder], { stdio: "inherit" });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  execFileSync(join(folder, "bin", "python"), [...pip, ...PYTHON_PACKAGES], { stdio: "inherit" });
  return program;
}

/** Finds a Python that the user can run. */
function findPython(user: ServerUser | null): string {
  const found = ["/usr/bin/python3", "python3"].find((python) => {
    const options = { ...user, cwd: "/", stdio: "ignore" } as const;
    return spawnSync(python, ["-c", "import venv, ensurepip"], options).status === 0;
  });
  if (found !== undefined) return found;
  throw new MissingProgram("Python with venv is missing. On Debian: apt-get install python3-venv");
}
