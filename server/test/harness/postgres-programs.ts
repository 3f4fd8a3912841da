import { existsSync } from "node:fs";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  findPostgresPackage,
  type PostgresBinaries,
  prepareBinaries,
} from "#src/db/embedded-postgres/binaries.ts";
import { DATABASE_FOLDER } from "#src/db/embedded-postgres/data-directory.ts";
import { openFolderForServer } from "#src/db/embedded-postgres/folder-for-server.ts";
import { SUPERUSER_ROLE } from "#src/db/embedded-postgres/roles.ts";
import { runProgram } from "#src/db/embedded-postgres/run-program.ts";
import { chooseServerUser, type ServerUser } from "#src/db/embedded-postgres/server-user.ts";
import { copyPreparedDatabase } from "./prepared-database.ts";

/** Folder with the programs of another PostgreSQL than the embedded one. */
const PROGRAMS_VARIABLE = "TEST_POSTGRES_BIN";
const INITDB_TIMEOUT_MS = 60_000;

/** Access for everyone, also for standbys. The folder of the socket excludes other users. */
const ACCESS = "local all all trust\nlocal replication all trust\n";

/** PostgreSQL for tests that start servers of their own. */
export interface TestPostgres {
  binaries: PostgresBinaries;
  user: ServerUser | null;
  /** Creates `<dataDir>/postgres`. */
  createDatabase(dataDir: string): Promise<void>;
}

/** Finds the PostgreSQL of `TEST_POSTGRES_BIN`, else the embedded one. Throws without its programs. */
export async function findTestPostgres(folder: string): Promise<TestPostgres> {
  const user = await chooseServerUser(folder, folder);
  const programs = process.env[PROGRAMS_VARIABLE];
  if (programs === undefined) {
    const binaries = await prepareBinaries(await findPostgresPackage(), user, folder);
    return { binaries, user, createDatabase: createPreparedDatabase };
  }
  const binaries = {
    initdb: join(programs, "initdb"),
    postgres: join(programs, "postgres"),
    pgCtl: join(programs, "pg_ctl"),
  };
  const missing = Object.values(binaries).filter((program) => !existsSync(program));
  if (missing.length > 0) {
    throw new Error(
      `${PROGRAMS_VARIABLE} is ${programs}, but PostgreSQL's programs are not there: ${missing.join(", ")}`,
    );
  }
  return { binaries, user, createDatabase: (dataDir) => initialize(dataDir, binaries, user) };
}

async function createPreparedDatabase(dataDir: string): Promise<void> {
  await copyPreparedDatabase(dataDir);
  await writeFile(join(dataDir, DATABASE_FOLDER, "pg_hba.conf"), ACCESS);
}

async function initialize(
  dataDir: string,
  { initdb }: PostgresBinaries,
  user: ServerUser | null,
): Promise<void> {
  await mkdir(dataDir, { mode: 0o700 });
  if (user !== null) await chown(dataDir, user.uid, user.gid);
  const folder = await openFolderForServer(dataDir, user);
  const args = [
    `--pgdata=${join(folder.path, DATABASE_FOLDER)}`,
    `--username=${SUPERUSER_ROLE}`,
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
  ];
  try {
    await runProgram({ program: initdb, args, user, folder, timeoutMs: INITDB_TIMEOUT_MS });
  } finally {
    await folder.close();
  }
}
