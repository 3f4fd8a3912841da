// `node server/test/statements/check-statements.ts <folder>`: prepares each statement that the database tests sent to
// their PostgreSQL on the server of DATABASE_URL, in a new database with the schema. Shows that this server accepts all
// of them, and plans conflicts without values. Prints the refused ones, and a line of counts at the end.
import { randomBytes, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { migrate } from "#src/db/migrate.ts";

/**
 * Codes of a missing table and a missing column. Tests make tables, and migrations are tested on earlier schemas. All other
 * tables are the same on every server, except PostgreSQL's own.
 */
const MISSING = ["42P01", "42703"];
const TABLE_OF_POSTGRES = /\bpg_/;
/** A partial index for a conflict is found when the statement is planned. A parameter in its condition hides the index. */
const HAS_CONFLICT = /\bon conflict\b/i;
/** Several commands at once. Tests fill tables with them. */
const SEVERAL_COMMANDS = /multiple commands/;
/** Tests restore rows from this schema, which they make themselves. */
const SCHEMA_OF_TESTS = "snapshot.";

const [, , folder] = process.argv;
const url = process.env["DATABASE_URL"];
if (folder === undefined || url === undefined) {
  printLine("usage: DATABASE_URL=… check-statements.ts <folder>");
  process.exit(2);
}
const statements = readStatements(folder);
const refused = await prepareAll(url, statements);
for (const { text, message } of refused) printLine(`${message}\n  ${text}`);
const passed = statements.length - refused.length;
printLine(`${passed} passed, ${refused.length} failed`);
process.exit(refused.length === 0 && passed > 0 ? 0 : 1);

interface Refused {
  text: string;
  message: string;
}

/** Statements that differ only in the number of their parameters are one. */
function readStatements(path: string): string[] {
  const texts = new Map<string, string>();
  for (const name of readdirSync(path)) {
    for (const line of readFileSync(join(path, name), "utf8").trimEnd().split("\n")) {
      const text = JSON.parse(line) as string;
      if (text.includes(SCHEMA_OF_TESTS)) continue;
      texts.set(text.replace(/\$\d+(?:\)?, \(?\$\d+)+/g, "$"), text);
    }
  }
  return [...texts.values()];
}

async function prepareAll(serverUrl: string, texts: readonly string[]): Promise<Refused[]> {
  const name = `bursar_statements_${randomBytes(4).toString("hex")}`;
  const database = new URL(serverUrl);
  database.pathname = `/${name}`;
  const server = new pg.Client(serverUrl);
  await server.connect();
  await server.query(`CREATE DATABASE ${name}`);
  try {
    await migrate({ connectionString: database.href });
    return await prepareIn(database.href, texts);
  } finally {
    await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await server.end();
  }
}

async function prepareIn(connectionString: string, texts: readonly string[]): Promise<Refused[]> {
  const client = new pg.Client(connectionString);
  await client.connect();
  // Plans are then made for any values, as for a statement that runs often.
  await client.query("SET plan_cache_mode = force_generic_plan");
  const refused: Refused[] = [];
  for (const text of texts) {
    const message = await prepare(client, text);
    if (message !== null) refused.push({ text, message });
  }
  await client.end();
  return refused;
}

/** Returns the message of a refusal, and null for an accepted statement. A name makes the driver refuse several commands. */
async function prepare(client: pg.Client, text: string): Promise<string | null> {
  try {
    await client.query({ name: randomUUID(), text: `PREPARE tried AS ${text}` });
    if (HAS_CONFLICT.test(text)) {
      await client.query(`EXPLAIN EXECUTE tried ${await formatNulls(client)}`);
    }
    await client.query("DEALLOCATE tried");
    return null;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    await client.query("DEALLOCATE ALL");
    const isMissing = MISSING.includes(error.code ?? "") && !TABLE_OF_POSTGRES.test(text);
    return isMissing || SEVERAL_COMMANDS.test(error.message) ? null : error.message;
  }
}

/** A null for each parameter of the prepared statement. */
async function formatNulls(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ count: number }>(
    "SELECT cardinality(parameter_types) AS count FROM pg_prepared_statements WHERE name = 'tried'",
  );
  const nulls = Array.from({ length: rows[0]?.count ?? 0 }, () => "NULL");
  return nulls.length === 0 ? "" : `(${nulls.join(", ")})`;
}

function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}
