import pg from "pg";

/** Runs one statement on a connection of its own. */
export async function queryOnce<Row extends object>(
  connectionString: string,
  statement: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => undefined); // the statement reports it
  await client.connect();
  try {
    return (await client.query<Row>(statement, [...values])).rows;
  } finally {
    await client.end();
  }
}
