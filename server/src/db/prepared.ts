import type pg from "pg";

// Statements that each connection prepares once: long ones that are sent all the time, and that PostgreSQL would parse and
// plan each time.

const names = new Map<string, string>();

/** Gives back the text, a constant. Wherever it is sent from now on, it is prepared under the name. */
export function prepareOnce(name: string, text: string): string {
  names.set(text, name);
  return text;
}

type Query = (query: unknown, ...rest: readonly unknown[]) => unknown;

/** Kysely sends texts and values only: the connection knows by the text what it has prepared. */
export function usePrepared(client: pg.PoolClient): void {
  const query = client.query.bind(client) as Query;
  const named: Query = (text, values, ...rest) => {
    const name = typeof text === "string" ? names.get(text) : undefined;
    return name === undefined
      ? query(text, values, ...rest)
      : query({ name, text, values }, ...rest);
  };
  client.query = named as typeof client.query;
}
