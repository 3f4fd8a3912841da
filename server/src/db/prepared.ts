import type pg from "pg";

// Statements that each connection prepares once: long and frequent ones, which PostgreSQL would otherwise parse and
// plan each time.

const names = new Map<string, string>();

/**
 * Registers a constant statement to be prepared under a name. Returns the text. The text names its columns: a `*` fails on open
 * connections after a migration adds a column. A condition of ON CONFLICT has no parameter.
 */
export function prepareOnce(name: string, text: string): string {
  names.set(text, name);
  return text;
}

type Query = (query: unknown, ...rest: readonly unknown[]) => unknown;

/** Prepares registered statements. Kysely passes only texts and values, so the text identifies the statement. */
export function usePrepared(client: pg.ClientBase): void {
  const query = client.query.bind(client) as Query;
  const named: Query = (text, values, ...rest) => {
    const name = typeof text === "string" ? names.get(text) : undefined;
    return name === undefined
      ? query(text, values, ...rest)
      : query({ name, text, values }, ...rest);
  };
  client.query = named as typeof client.query;
}
