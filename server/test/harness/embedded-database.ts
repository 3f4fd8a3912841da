import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { writeSignedRows, writesSignedRow } from "./sign-rows.ts";

// The embedded PostgreSQL of a server's data folder, seen from outside the server.

const POSTGRES_DEPTH = 3;
const STOP_MS = 45_000;
const POLL_MS = 10;

/** Process id of the PostgreSQL on the data folder, or null. */
export function postgresPid(dataDir: string): number | null {
  const pid = Number.parseInt(readPidFile(dataDir) ?? "", 10);
  return Number.isInteger(pid) && isAlive(pid) ? pid : null;
}

/** Null also when PostgreSQL removes files during the search. */
function readPidFile(dataDir: string): string | null {
  try {
    const file = findFile(dataDir, "postmaster.pid", POSTGRES_DEPTH);
    return file && readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export function isAlive(pid: number): boolean {
  return sendSignal(pid, 0);
}

/** Role of the server, and its database. */
const EMBEDDED_ROLE = "bursar";

/** Runs one statement on the server's database, and signs the rows that the server would sign. */
export async function queryDatabase<T extends object>(
  dataDir: string,
  { DATABASE_URL: connectionString, BURSAR_SECRET: secret }: Record<string, string | undefined>,
  statement: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const config =
    connectionString === undefined ? findEmbeddedDatabase(dataDir) : { connectionString };
  if (writesSignedRow(statement)) {
    return await writeSignedRows<T>(config, { dataDir, secret }, { statement, values });
  }
  const client = new pg.Client(config);
  await client.connect();
  try {
    const { rows } = await client.query<T>(statement, [...values]);
    return rows;
  } finally {
    await client.end();
  }
}

/** Connection settings of the embedded PostgreSQL, read from its own files. */
export function findEmbeddedDatabase(dataDir: string): pg.ClientConfig {
  const lines = readPidFile(dataDir)?.split("\n");
  if (lines === undefined) throw new Error(`no PostgreSQL in ${dataDir}`);
  return {
    host: lines[4] || lines[5] || "127.0.0.1",
    port: Number(lines[3]),
    user: EMBEDDED_ROLE,
    database: EMBEDDED_ROLE,
  };
}

/** Folder of PostgreSQL's socket, or null. The folder is in the temporary folder and outlives the server. */
export function findSocketFolder(dataDir: string): string | null {
  return readPidFile(dataDir)?.split("\n")[4] || null;
}

/** Ends PostgreSQL at once, and waits until it is gone. */
export async function killPostgres(dataDir: string): Promise<void> {
  const pid = postgresPid(dataDir);
  if (pid === null) return;
  sendSignal(pid, "SIGQUIT"); // immediate shutdown, including children
  const deadline = performance.now() + STOP_MS;
  while (isAlive(pid) && performance.now() < deadline) await delay(POLL_MS);
}

/** False: there is no such process. */
export function sendSignal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

function findFile(folder: string, name: string, depth: number): string | null {
  if (!existsSync(folder)) return null;
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some((entry) => entry.isFile() && entry.name === name)) return join(folder, name);
  if (depth === 0) return null;
  for (const entry of entries) {
    const found = entry.isDirectory() ? findFile(join(folder, entry.name), name, depth - 1) : null;
    if (found !== null) return found;
  }
  return null;
}
