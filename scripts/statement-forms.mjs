// Finds `*.sql.ts` files with both forms of statements: raw SQL and the query builder. See server/src/db/README.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listRepository } from "./repository-files.mjs";

const RAW_SQL = /[.]execute\(\s*[\w.#]+,?\s*\)|[.]executeQuery\b/;
const QUERY_BUILDER = /\b(selectFrom|selectNoFrom|insertInto|updateTable|deleteFrom|mergeInto)\(/;

/** Files that still have both forms. No file is added. */
const MIXED_FILES = [];

/** Returns one problem for each unlisted file with both forms, and for each listed file with one form. */
export function findMixedStatements(root, allowed = MIXED_FILES) {
  const mixed = [...listRepository(root)].filter((path) => {
    const text = path.endsWith(".sql.ts") ? readFileSync(join(root, path), "utf8") : "";
    return RAW_SQL.test(text) && QUERY_BUILDER.test(text);
  });
  return [
    ...mixed
      .filter((path) => !allowed.includes(path))
      .map((path) => `mixed statements: ${path} has raw SQL and the query builder. Use one form.`),
    ...allowed
      .filter((path) => !mixed.includes(path))
      .map((path) => `mixed statements: ${path} has one form. Remove it from MIXED_FILES.`),
  ];
}
