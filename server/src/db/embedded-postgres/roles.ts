import pg from "pg";
import { connectServer, type ServerAddress } from "./connection.ts";

// The server's role owns the database `bursar` and nothing else. Only a start uses the superuser. The first start creates the
// server's role. In folders of earlier versions the only role was a superuser.

/** Role of the server. Owns its database, without further rights. */
export const SERVER_ROLE = "bursar";
/** Role that initdb creates. */
export const SUPERUSER_ROLE = "bursar_superuser";

/** Role of the transaction that renames the superuser, because no session can rename its own role. */
const RENAMING_ROLE = "bursar_renaming";
/** Database that initdb creates. Roles belong to all databases. */
const FIRST_DATABASE = "postgres";

export interface DatabaseAccess {
  server: ServerAddress;
  superuser: ServerAddress;
  /** Database of the server's role. */
  database: string;
}

/** True if the server's role has its database and no more. `client` is a session of that role. */
export async function isPrepared(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ isPrepared: boolean }>(`
    SELECT NOT r.rolsuper AND d.datdba = r.oid AS "isPrepared"
    FROM pg_catalog.pg_roles AS r, pg_catalog.pg_database AS d
    WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()`);
  return rows[0]?.isPrepared === true;
}

/** True if the server refused a role: it is missing, or has another password or another system user. */
export function isRoleRefused(error: unknown): boolean {
  const refused = ["28000", "28P01"];
  return error instanceof pg.DatabaseError && refused.includes(error.code ?? "");
}

/**
 * Creates the server's role and database, or changes those of an earlier version. Each step finds what an interrupted start
 * left. Returns true if the server's role was a superuser.
 */
export async function prepareDatabase(access: DatabaseAccess): Promise<boolean> {
  const { server, superuser, database } = access;
  const wasSuperuser = await demoteServerRole(access);
  const client = await connectServer(superuser, FIRST_DATABASE, { isSuperuser: true });
  try {
    await createServerRole(client, server.password);
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [
      database,
    ]);
    if (rowCount === 0) {
      await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)} OWNER ${SERVER_ROLE}`);
      return wasSuperuser;
    }
  } finally {
    await client.end();
  }
  await transferDatabase(superuser, database);
  return wasSuperuser;
}

/** Renames a superuser with the name of the server's role. Returns false if there is none. */
async function demoteServerRole({ server, superuser }: DatabaseAccess): Promise<boolean> {
  const isSuperuser = true;
  try {
    const client = await connectServer(superuser, FIRST_DATABASE, { isSuperuser });
    await client.end();
    return false;
  } catch (error) {
    if (!isRoleRefused(error)) throw error;
  }
  const client = await connectServer(server, FIRST_DATABASE, { isSuperuser });
  try {
    // One transaction. A crash before its end leaves the role as it was.
    await client.query(`
      BEGIN;
      CREATE ROLE ${RENAMING_ROLE} SUPERUSER;
      SET SESSION AUTHORIZATION ${RENAMING_ROLE};
      ALTER ROLE ${SERVER_ROLE} RENAME TO ${SUPERUSER_ROLE};
      RESET SESSION AUTHORIZATION;
      DROP ROLE ${RENAMING_ROLE};
      ALTER ROLE ${SUPERUSER_ROLE} PASSWORD ${toLiteral(superuser.password)};
      COMMIT`);
  } finally {
    await client.end();
  }
  return true;
}

async function createServerRole(client: pg.Client, password: string | null): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [SERVER_ROLE]);
  if (rowCount === 0) await client.query(`CREATE ROLE ${SERVER_ROLE}`);
  await client.query(
    `ALTER ROLE ${SERVER_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
     PASSWORD ${toLiteral(password)}`,
  );
}

function toLiteral(password: string | null): string {
  return password === null ? "NULL" : pg.escapeLiteral(password);
}

/**
 * Statements that give the server's role each object of the superuser outside of PostgreSQL's own schemas. REASSIGN OWNED refuses
 * the role of initdb. Sequences of columns follow their table, and objects of extensions stay.
 */
const LIST_TRANSFERS = `
  WITH own_schema AS (
    SELECT oid, nspname, nspowner FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'),
  object AS (
    SELECT 'SCHEMA' AS kind, quote_ident(nspname) AS name, nspowner AS owner,
      'pg_namespace'::regclass AS catalog, oid FROM own_schema
    UNION ALL
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
        WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
      c.oid::regclass::text, relowner, 'pg_class'::regclass, c.oid
    FROM pg_class AS c JOIN own_schema AS s ON s.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'ROUTINE', p.oid::regprocedure::text, proowner, 'pg_proc'::regclass, p.oid
    FROM pg_proc AS p JOIN own_schema AS s ON s.oid = pronamespace
    UNION ALL
    SELECT 'TYPE', t.oid::regtype::text, typowner, 'pg_type'::regclass, t.oid
    FROM pg_type AS t JOIN own_schema AS s ON s.oid = typnamespace LEFT JOIN pg_class AS c ON c.oid = typrelid
    WHERE typtype IN ('d', 'e', 'r') OR (typtype = 'c' AND c.relkind = 'c')
    UNION ALL
    SELECT 'STATISTICS', format('%I.%I', nspname, stxname), stxowner, 'pg_statistic_ext'::regclass, x.oid
    FROM pg_statistic_ext AS x JOIN own_schema AS s ON s.oid = stxnamespace)
  SELECT format('ALTER %s %s OWNER TO ${SERVER_ROLE}', kind, name) AS statement
  FROM object JOIN pg_roles AS r ON r.oid = object.owner
  WHERE r.rolname = '${SUPERUSER_ROLE}' AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = catalog AND d.objid = object.oid
      AND (d.deptype = 'e' OR (kind = 'SEQUENCE' AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'))))`;

/** Gives the server's role the database and its objects. The database comes last, as the mark of the complete change. */
async function transferDatabase(superuser: ServerAddress, database: string): Promise<void> {
  const client = await connectServer(superuser, database, { isSuperuser: true });
  try {
    await client.query("BEGIN");
    const { rows } = await client.query<{ statement: string }>(LIST_TRANSFERS);
    const owner = `ALTER DATABASE ${pg.escapeIdentifier(database)} OWNER TO ${SERVER_ROLE}`;
    await client.query([...rows.map(({ statement }) => statement), owner].join(";\n"));
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}
