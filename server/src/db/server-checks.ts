import pg from "pg";
import { isDoneWithin } from "#src/lib/is-done-within.ts";
import { StartError } from "#src/lib/start-error.ts";
import { explainConnectError } from "./database-error.ts";

// Checks an external PostgreSQL before anything is written.

const MINIMUM_VERSION = 15;
const PROBE_TIMEOUT_MS = 5_000;
/** Maximum wait of a statement for a free server connection, milliseconds. */
const PROBE_WAIT_MS = 2_000;
const MAX_NAMED = 3;

export interface ServerFacts {
  version_number: string;
  version: string;
  encoding: string;
  is_standby: boolean;
  is_read_only: string;
  schema: string | null;
  may_create: boolean | null;
}

/**
 * Throws a StartError for an old or standby server, an encoding other than UTF-8, or without permission to create
 * tables.
 */
export async function refuseUnsuitableServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<ServerFacts>(`
    SELECT current_setting('server_version_num') AS version_number,
      current_setting('server_version') AS version,
      current_setting('server_encoding') AS encoding,
      pg_is_in_recovery() AS is_standby,
      current_setting('transaction_read_only') AS is_read_only,
      current_schema() AS schema,
      has_schema_privilege(current_schema(), 'CREATE') AS may_create`);
  const [facts] = rows;
  const refusal = facts ? findServerFault(facts) : "The server returned no facts about itself.";
  if (refusal !== null) throw new StartError(refusal);
}

/** Returns the reason why Bursar cannot use this server, with the remedy. Null: it can. */
export function findServerFault(facts: ServerFacts): string | null {
  if (Number(facts.version_number) < MINIMUM_VERSION * 10_000) {
    return `PostgreSQL ${facts.version} is too old: Bursar needs ${MINIMUM_VERSION} or newer. Upgrade the server.`;
  }
  if (facts.is_standby || facts.is_read_only === "on") {
    return "The database is read-only (a standby, or by setting). Set DATABASE_URL to the primary.";
  }
  if (facts.encoding !== "UTF8") {
    return (
      `The database has the encoding ${facts.encoding}, but Bursar needs UTF8. ` +
      "Create one with CREATE DATABASE bursar ENCODING 'UTF8' TEMPLATE template0."
    );
  }
  if (facts.schema === null || facts.may_create !== true) {
    return (
      `The role has no permission to create tables ${facts.schema === null ? "in any schema" : `in the schema "${facts.schema}"`}. ` +
      "Make it the owner of the database, or GRANT CREATE ON SCHEMA to it."
    );
  }
  return null;
}

/**
 * Throws a StartError if statements of one connection reach different server sessions. Advisory locks, which separate
 * migrations and jobs, would be lost. A pooler that assigns a session to a client until it disconnects is accepted.
 *
 * The test: a first client sets a mark in its session. A second client opens a transaction, and a pooler that shares
 * sessions assigns it the free session. If the first client's mark is gone, or its statement waits for the second one,
 * the session is shared. A direct connection always passes.
 */
export async function refusePooler(connectionString: string): Promise<void> {
  const [first, second] = [makeProbe(connectionString), makeProbe(connectionString)];
  try {
    await connectProbe(first, connectionString);
    // A pooler with dedicated sessions and none left makes the second client wait. That is not sharing.
    if (!(await isAnsweredInTime(second.connect()))) return;
    await first.query("SELECT set_config('bursar.session_mark', 'kept', false)");
    if (!(await isAnsweredInTime(second.query("BEGIN; SELECT 1")))) return;
    const mark = first.query<{ mark: string | null }>(
      "SELECT current_setting('bursar.session_mark', true) AS mark",
    );
    const isKept = (await isAnsweredInTime(mark)) && (await mark).rows[0]?.mark === "kept";
    if (!isKept) throw new StartError(POOLER_REFUSAL);
  } finally {
    await Promise.all([closeProbe(first), closeProbe(second)]);
  }
}

const POOLER_REFUSAL =
  "DATABASE_URL points to a pooler that shares sessions between clients (PgBouncer in transaction mode, or a similar " +
  "one), which breaks Bursar's locks. Set it to the address of PostgreSQL itself.";

function makeProbe(connectionString: string): pg.Client {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    // The pool (pool.ts) sets this too, and many poolers refuse it. Here the error has a clear explanation.
    statement_timeout: PROBE_TIMEOUT_MS,
    application_name: "bursar probe",
  });
  client.on("error", () => undefined); // the running statement fails too
  return client;
}

async function connectProbe(client: pg.Client, connectionString: string): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    throw explainConnectError(error, connectionString);
  }
}

/** Returns false without a response within PROBE_WAIT_MS. Before that, rejects like `answer`. */
function isAnsweredInTime(answer: Promise<unknown>): Promise<boolean> {
  answer.catch(() => undefined); // closing the probe ends a statement that is not awaited
  return isDoneWithin(PROBE_WAIT_MS, answer);
}

async function closeProbe(client: pg.Client): Promise<void> {
  if (!(await isAnsweredInTime(client.end()))) client.connection.stream.destroy();
}

/**
 * Throws a StartError if the database contains foreign objects. Tables of another program would share names and
 * backups. Objects of extensions do not count.
 */
export async function refuseForeignDatabase(client: pg.Client): Promise<void> {
  const { rows: own } = await client.query<{ columns: string[] }>(`
    SELECT array_agg(attname::text ORDER BY attname) AS columns FROM pg_attribute
    WHERE attrelid = to_regclass('schema_migration') AND attnum > 0 AND NOT attisdropped
    HAVING count(*) > 0`);
  if (own.length > 0 && own[0]?.columns.join() === "applied_at,name,number,sha256") return;
  const { rows: foreign } = await client.query<{ name: string }>(`
    SELECT n.nspname || '.' || c.relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1 LIMIT ${MAX_NAMED + 1}`);
  if (foreign.length === 0) return;
  const named = foreign.slice(0, MAX_NAMED).map((row) => row.name);
  if (foreign.length > MAX_NAMED) named.push("…");
  throw new StartError(
    `The database is not empty and not Bursar's (it has ${named.join(", ")}). ` +
      "Bursar needs its own database: run CREATE DATABASE bursar and set that name in DATABASE_URL.",
  );
}
