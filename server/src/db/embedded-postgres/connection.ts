import pg from "pg";

export interface ServerAddress {
  /** Socket folder, or a loopback address on systems without sockets. */
  host: string;
  port: number;
  user: string;
  /** Null: the system identifies the user of the process. */
  password: string | null;
}

const CONNECT_TIMEOUT_MS = 5_000;
/**
 * Options of a superuser's session. Names of another role's objects are never found, and a failed statement with a password is
 * not logged.
 */
const SUPERUSER_OPTIONS = "-c search_path=pg_catalog -c log_min_error_statement=panic";

/** Connects to a database of the server. The caller ends the client. */
export async function connectServer(
  { password, ...address }: ServerAddress,
  database: string,
  { isSuperuser }: { isSuperuser: boolean },
): Promise<pg.Client> {
  const client = new pg.Client({
    ...address,
    ...(password !== null && { password }),
    ...(isSuperuser && { options: SUPERUSER_OPTIONS }),
    database,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "bursar start",
  });
  client.on("error", () => undefined); // the failed statement or connect reports it
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
