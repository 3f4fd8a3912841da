import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { ServerProcess } from "./server-process.ts";

// Searches everything that a server leaves for secrets, by their name and text.

/** The secret itself, and two usual encodings of its bytes. */
function listEncodings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString("hex"), bytes.toString("base64").replace(/=+$/, "")];
}

/** Expects none of the secrets in a text. `where` names it in the failure. */
export function expectNoCanary(
  where: string,
  text: string | Buffer,
  secrets: ReadonlyMap<string, string>,
): void {
  const found = [...secrets].filter(([, secret]) =>
    listEncodings(secret).some((disguise) => text.includes(disguise)),
  );
  const names = found.map(([name]) => {
    const at = text.indexOf(secrets.get(name) ?? "");
    return `${name}: …${String(text.slice(Math.max(0, at - 120), at + 20))}`;
  });
  expect({ where, names }).toEqual({ where, names: [] });
}

/** Checks every row of every table as text. Binary columns are hex. `control` is a text that the search must find. */
export async function expectCleanTables(
  server: ServerProcess,
  secrets: ReadonlyMap<string, string>,
  control: string,
): Promise<void> {
  const tables = await server.sql<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const withControl: string[] = [];
  for (const { name } of tables) {
    const found = await server.sql<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`);
    const text = found.map(({ row }) => row).join("\n");
    expectNoCanary(name, text, secrets);
    if (text.includes(control)) withControl.push(name);
  }
  expect(withControl.sort()).toEqual([
    "public.access_review_item",
    "public.audit_event",
    "public.workspace",
  ]);
}

/** Checks every byte in the data folder: journal, database files, write-ahead log and PostgreSQL's log. */
export function expectCleanFiles(
  dataDir: string,
  secrets: ReadonlyMap<string, string>,
  { control, apiKeyId }: { control: string; apiKeyId: string },
): void {
  const folders = { database: false, journal: false };
  for (const entry of readdirSync(dataDir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const bytes = readFileSync(file);
    expectNoCanary(file, bytes, secrets);
    if (file.includes("postgres") && bytes.includes(control)) folders.database = true;
    if (file.includes("journal") && bytes.includes(apiKeyId)) folders.journal = true;
  }
  expect(folders).toEqual({ database: true, journal: true });
}
