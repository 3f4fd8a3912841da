import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "#src/lib/assert.ts";

export interface Migration {
  /** 1, 2, 3 …, without gaps. */
  number: number;
  /** `0001_spine.sql` → `spine`. */
  name: string;
  sql: string;
  /** SHA-256 of the file with LF line ends, so that a checkout with CRLF is the same migration. */
  sha256: string;
}

const MIGRATIONS_FOLDER = join(import.meta.dirname, "migrations");
const FILE_NAME = /^(\d{4})_([a-z0-9_]+)[.]sql$/;

/** Reads the migrations of this program, in order. */
export async function readMigrations(folder: string = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  const migrations: Migration[] = [];
  for (const file of files) {
    const [, digits, name] = FILE_NAME.exec(file) ?? [];
    assert(digits !== undefined && name !== undefined, `${file} is named NNNN_name.sql`);
    const sql = (await readFile(join(folder, file), "utf8")).replaceAll("\r\n", "\n");
    const number = Number(digits);
    assert(number === migrations.length + 1, `${file} follows ${migrations.length} without a gap`);
    migrations.push({ number, name, sql, sha256: sha256(sql) });
  }
  return migrations;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
