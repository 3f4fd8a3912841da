import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import {
  type ChangedRow,
  type JsonRow,
  lockAllRows,
  saveMacs,
  takeChangedRows,
} from "./changed-rows.sql.ts";
import { nameRow, type RowContent, type SignedTable, signedTables } from "./row-content.ts";
import type { RowSigner } from "./row-signer.ts";

export interface SigningDeps {
  database: Database;
  rows: RowSigner;
}

/**
 * `inTransaction` for work that writes keys, roles or sessions. Signs the rows that it wrote, before the commit. All writers
 * need it: a row of another transaction is refused.
 */
export function inSignedTransaction<Result>(
  { database, rows }: SigningDeps,
  work: (tx: Tx) => Promise<Result>,
  options: { deadlockRetries?: number } = {},
): Promise<Result> {
  return inTransaction(
    database,
    async (tx) => {
      const result = await work(tx);
      await signChangedRows(tx, rows);
      return result;
    },
    options,
  );
}

/**
 * Signs the rows that this transaction has written. A row that had no valid MAC before stays unsigned, because its signature
 * would make a forged value genuine.
 */
export async function signChangedRows(tx: Tx, rows: RowSigner): Promise<void> {
  const changes = await takeChangedRows(tx);
  for (const table of signedTables) {
    const signed = new Map<string, { row: JsonRow; mac: Buffer }>();
    const refused = new Set<string>();
    for (const change of changes.filter((each) => each.table === table)) {
      const name = nameRow(table, change.after);
      const isFirst = !signed.has(name);
      if (refused.has(name) || (isFirst && !wasGenuine(rows, change))) refused.add(name);
      else signed.set(name, { row: change.after, mac: signJson(rows, table, change.after) });
    }
    if (signed.size > 0) await saveMacs(tx, table, [...signed.values()]);
  }
}

/** Rows before the first signature have no MAC. */
function wasGenuine(rows: RowSigner, { table, before }: ChangedRow): boolean {
  if (before === null || !rows.isRequired) return true;
  return isSignedJson(rows, table, before);
}

/** True if a row as JSON has a valid MAC. */
export function isSignedJson(rows: RowSigner, table: SignedTable, row: JsonRow): boolean {
  return rows.isGenuine(table, toContent(row), readMac(row));
}

/** `RowSigner.isUsable` for a row as JSON. */
export function isUsableJson(rows: RowSigner, table: SignedTable, row: JsonRow): boolean {
  return rows.isUsable(table, toContent(row), readMac(row));
}

/** Signs every row as it is stored. Only for the one time at which rows get their first MAC. */
export async function signAllRows(tx: Tx, rows: RowSigner): Promise<number> {
  let count = 0;
  for (const table of signedTables) {
    const unsigned = (await lockAllRows(tx, table)).filter(
      (row) => !isSignedJson(rows, table, row),
    );
    const signed = unsigned.map((row) => ({ row, mac: signJson(rows, table, row) }));
    if (signed.length > 0) await saveMacs(tx, table, signed);
    count += signed.length;
  }
  return count;
}

/**
 * Signs every row that `from` has signed with `to`, for a change of the secret. Returns the number of signed rows. Other rows
 * stay without a valid MAC.
 */
export async function replaceAllMacs(
  tx: Tx,
  { from, to }: { from: RowSigner; to: RowSigner },
): Promise<number> {
  let count = 0;
  for (const table of signedTables) {
    const genuine = (await lockAllRows(tx, table)).filter((row) => isSignedJson(from, table, row));
    const signed = genuine.map((row) => ({ row, mac: signJson(to, table, row) }));
    if (signed.length > 0) await saveMacs(tx, table, signed);
    count += signed.length;
  }
  return count;
}

function signJson(rows: RowSigner, table: SignedTable, row: JsonRow): Buffer {
  return rows.sign(table, toContent(row));
}

/** The columns are checked when the content is formatted. */
function toContent(row: JsonRow): RowContent<SignedTable> {
  return row as RowContent<SignedTable>;
}

function readMac({ mac }: JsonRow): Buffer | null {
  return typeof mac === "string" ? Buffer.from(mac.replace("\\x", ""), "hex") : null;
}
