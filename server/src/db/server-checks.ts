import pg from "pg";
import { StartError } from "#src/lib/start-error.ts";
import { explainConnectError } from "./database-error.ts";

// What Bursar needs of a PostgreSQL that somebody else runs, looked at before anything is written.

const MINIMUM_VERSION = 15;
const PROBE_TIMEOUT_MS = 5_000;
/** How long a statement may wait for a free server connection before that is the answer. */
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

/** Throws a StartError for a server that is too old, a standby, or not in UTF-8, and where tables cannot be made. */
export async function refuseUnfitServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<ServerFacts>(`
    SELECT current_setting('server_version_num') AS version_number,
      current_setting('server_version') AS version,
      current_setting('server_encoding') AS encoding,
      pg_is_in_recovery() AS is_standby,
      current_setting('transaction_read_only') AS is_read_only,
      current_schema() AS schema,
      has_schema_privilege(current_schema(), 'CREATE') AS may_create`);
  const [facts] = rows;
  const refusal = facts ? findUnfitness(facts) : "The server did not describe itself.";
  if (refusal !== null) throw new StartError(refusal);
}

/** Why Bursar cannot use this server, and what to do; null when it can. */
export function findUnfitness(facts: ServerFacts): string | null {
  if (Number(facts.version_number) < MINIMUM_VERSION * 10_000) {
    return `PostgreSQL ${facts.version} is too old: Bursar needs ${MINIMUM_VERSION} or newer. Upgrade the server.`;
  }
  if (facts.is_standby || facts.is_read_only === "on") {
    return "The database only reads (it is a standby, or read-only by setting). Point DATABASE_URL at the primary.";
  }
  if (facts.encoding !== "UTF8") {
    return (
      `The database is encoded in ${facts.encoding}; Bursar needs UTF8. ` +
      "Make one with CREATE DATABASE bursar ENCODING 'UTF8' TEMPLATE template0."
    );
  }
  if (facts.schema === null || facts.may_create !== true) {
    return (
      `The role may not make tables ${facts.schema === null ? "anywhere" : `in the schema "${facts.schema}"`}. ` +
      "Make it the owner of the database, or GRANT CREATE ON SCHEMA to it."
    );
  }
  return null;
}

/**
 * Throws a StartError when statements of one connection reach different server sessions: advisory locks, which keep
 * migrations and jobs apart, would be lost. A pooler that gives a client one session until it leaves is accepted.
 *
 * How it is found: a first client leaves a mark in its session. A second one then opens a transaction, and a pooler
 * that shares sessions gives it the one that has just become free. If the first client's mark is gone, or its statement
 * has to wait until the second one is done, the session was not its own. A direct connection passes by construction.
 */
export async function refusePooler(connectionString: string): Promise<void> {
  const [first, second] = [makeProbe(connectionString), makeProbe(connectionString)];
  try {
    await connectProbe(first, connectionString);
    // A pooler that keeps sessions and has none left lets the second client wait: that is not sharing.
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
  "DATABASE_URL goes through a pooler that shares sessions between clients (PgBouncer in transaction mode, or one like " +
  "it): Bursar's locks would not hold. Give it the address of PostgreSQL itself.";

function makeProbe(connectionString: string): pg.Client {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    // The pool asks for one as well (pool.ts), which many poolers refuse: better said here than by the first query.
    statement_timeout: PROBE_TIMEOUT_MS,
    application_name: "bursar probe",
  });
  client.on("error", () => undefined); // the statement under way fails too
  return client;
}

async function connectProbe(client: pg.Client, connectionString: string): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    throw explainConnectError(error, connectionString);
  }
}

/** False when there was no answer within PROBE_WAIT_MS. Rejects like `answer` before that. */
async function isAnsweredInTime(answer: Promise<unknown>): Promise<boolean> {
  answer.catch(() => undefined); // closing the probe ends a statement that was not waited for
  const { promise: timeout, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, PROBE_WAIT_MS, false);
  try {
    return await Promise.race([answer.then(() => true as const), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

async function closeProbe(client: pg.Client): Promise<void> {
  if (!(await isAnsweredInTime(client.end()))) client.connection.stream.destroy();
}

/**
 * Throws a StartError when the database holds anything that is not Bursar's: tables of another program would share its
 * names and its backups. What extensions brought along does not count.
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
      "Give Bursar a database of its own: CREATE DATABASE bursar, and put that name into DATABASE_URL.",
  );
}
