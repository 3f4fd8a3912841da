import { createHash } from "node:crypto";
import pg from "pg";
import { beforeAll } from "vitest";
import { requireTestProject } from "./test-project.ts";

requireTestProject("database");

/** Shorter statements are planned faster than they are found. */
const LEAST_CHARS = 100;
const PREPARABLE = /^\s*(select|insert|update|delete|with)\b/i;

type Query = (this: pg.ClientBase, query: unknown, ...rest: unknown[]) => unknown;

/** The driver's own function while statements are prepared, else null. */
let send: Query | null = null;

/** Whether the current test file prepares its statements. */
export function isPreparingStatements(): boolean {
  return send !== null;
}

/**
 * Prepares each statement once for a connection, until `stopPreparing`. New databases plan a statement once, for all
 * values. PostgreSQL then takes half of the processor time or less, which planning needs otherwise.
 */
export function startPreparing(): void {
  const original = pg.Client.prototype.query as Query;
  const prepare: Query = function (query, ...rest) {
    const [values] = rest;
    const isPreparable =
      typeof query === "string" &&
      Array.isArray(values) &&
      rest.length === 1 &&
      query.length >= LEAST_CHARS &&
      PREPARABLE.test(query);
    if (!isPreparable) return original.call(this, query, ...rest);
    return original.call(this, { name: nameOf(query), text: query, values });
  };
  pg.Client.prototype.query = prepare as typeof pg.Client.prototype.query;
  send = original;
}

export function stopPreparing(): void {
  if (send === null) return;
  pg.Client.prototype.query = send as typeof pg.Client.prototype.query;
  send = null;
}

/**
 * Plans each statement of the test file for its values, as a server does. For files that change tables or fill large ones:
 * a plan for empty tables is slow on large ones. Call it before other hooks.
 */
export function planForValues(): void {
  beforeAll(stopPreparing);
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? createHash("sha256").update(text).digest("base64url");
  names.set(text, name);
  return name;
}
