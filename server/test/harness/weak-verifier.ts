import pg from "pg";

/**
 * Stores the password of a test database with one round of hashing instead of 4,096. Each connection then takes 1.4 ms of
 * processor time instead of 2.5 ms.
 */
export async function weakenVerifier(connectionString: string): Promise<void> {
  const { username, password } = new URL(connectionString);
  const client = new pg.Client(connectionString);
  await client.connect();
  try {
    await client.query("SET scram_iterations = 1");
    const role = pg.escapeIdentifier(decodeURIComponent(username));
    const secret = pg.escapeLiteral(decodeURIComponent(password));
    await client.query(`ALTER ROLE ${role} PASSWORD ${secret}`);
  } finally {
    await client.end();
  }
}
