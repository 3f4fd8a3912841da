import { createHash } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { requireTestProject } from "./test-project.ts";

requireTestProject("database");

/** Shorter statements are planned faster than they are found. */
const LEAST_CHARS = 100;
const PREPARABLE = /^\s*(select|insert|update|delete|with)\b/i;

type Query = (this: pg.ClientBase, query: unknown, ...rest: unknown[]) => unknown;

let isPreparing = false;

/** Whether the current test file prepares its statements. */
export function isPreparingStatements(): boolean {
  return isPreparing;
}

/**
 * Prepares each statement once for a connection, for files that send the same ones thousands of times. Their databases
 * plan a statement once, for all values. PostgreSQL then takes half of the processor time or less, which planning needs
 * otherwise. Not for files that change tables or fill them: a plan for empty tables is slow on large ones.
 */
export function prepareStatements(): void {
  const send = pg.Client.prototype.query as Query;
  const prepare: Query = function (query, ...rest) {
    const [values] = rest;
    const isPreparable =
      typeof query === "string" &&
      Array.isArray(values) &&
      rest.length === 1 &&
      query.length >= LEAST_CHARS &&
      PREPARABLE.test(query);
    if (!isPreparable) return send.call(this, query, ...rest);
    return send.call(this, { name: nameOf(query), text: query, values });
  };
  beforeAll(() => {
    isPreparing = true;
    pg.Client.prototype.query = prepare as typeof pg.Client.prototype.query;
  });
  afterAll(() => {
    isPreparing = false;
    pg.Client.prototype.query = send as typeof pg.Client.prototype.query;
  });
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? createHash("sha256").update(text).digest("base64url");
  names.set(text, name);
  return name;
}
