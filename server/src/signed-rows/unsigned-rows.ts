import type { Database } from "#src/db/pool.ts";
import { listRowsOfOrganization } from "./changed-rows.sql.ts";
import { type SignedTable, signedTables } from "./row-content.ts";
import type { RowSigner } from "./row-signer.ts";
import { isSignedJson } from "./signed-transaction.ts";

export interface UnsignedRow {
  table: SignedTable;
  /** Id of the row. For a secret the id of its key, for a role the id of its member. */
  id: string;
  workspaceId: string | null;
}

const PAGE = 1_000;

/** Lists up to `limit` rows of the organization without a valid MAC. Empty while rows need none. */
export async function listUnsignedRows(
  { database, rows }: { database: Database; rows: RowSigner },
  { organizationId, limit }: { organizationId: string; limit: number },
): Promise<UnsignedRow[]> {
  const found: UnsignedRow[] = [];
  if (!rows.isRequired) return found;
  for (const table of signedTables) {
    for (let after = ""; found.length < limit; ) {
      const page = await listRowsOfOrganization(database, table, {
        ...{ organizationId, after, limit: PAGE },
      });
      for (const { row, id, workspaceId } of page) {
        if (!isSignedJson(rows, table, row)) found.push({ table, id, workspaceId });
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = last.place;
    }
  }
  return found.slice(0, limit);
}
