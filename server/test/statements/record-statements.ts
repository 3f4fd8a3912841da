import { appendFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll } from "vitest";

// A setup file of the database tests: writes each different statement that they send to PostgreSQL into a file of the
// folder TEST_STATEMENTS. `check-statements.ts` reads them.

const folder = process.env["TEST_STATEMENTS"] ?? "";
/** Statements that can be prepared. Migrations and files with a first line for this have the others. */
const PREPARABLE = /^[\s(]*(select|insert|update|delete|merge|with|values)\b/i;

type Query = (this: pg.Client, query: unknown, ...rest: unknown[]) => unknown;

/** Kept by the process, because its test files share the driver. */
const seen: Set<string> = useShared("statements", () => recordQueries(new Set()));
const written: Set<string> = useShared("written", () => new Set());

afterAll(() => {
  const lines = [...seen].filter((text) => !written.has(text)).map((text) => JSON.stringify(text));
  for (const text of seen) written.add(text);
  if (lines.length > 0)
    appendFileSync(join(folder, `${process.pid}.jsonl`), `${lines.join("\n")}\n`);
});

function recordQueries(texts: Set<string>): Set<string> {
  const send = pg.Client.prototype.query as Query;
  const record: Query = function (query, ...rest) {
    const text = readText(query);
    if (text !== null && PREPARABLE.test(text)) texts.add(text);
    return send.call(this, query, ...rest);
  };
  pg.Client.prototype.query = record as typeof pg.Client.prototype.query;
  return texts;
}

function readText(query: unknown): string | null {
  if (typeof query === "string") return query;
  const isObject = typeof query === "object" && query !== null;
  return isObject && "text" in query && typeof query.text === "string" ? query.text : null;
}

function useShared(name: string, make: () => Set<string>): Set<string> {
  const key = Symbol.for(`bursar test ${name}`);
  const shared = globalThis as { [key: symbol]: Set<string> | undefined };
  shared[key] ??= make();
  return shared[key];
}
