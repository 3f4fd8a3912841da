import { MAX_TAG_FILE_COLUMNS, TAG_COLUMN_PREFIX } from "@bursar/contract/admin/tag-files.ts";
import type { Call } from "#src/access/call.ts";
import type { Database } from "#src/db/pool.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { type CsvColumns, toFile } from "#src/lib/csv.ts";
import { listNamesInUse, listTaggedRows, type RowPlace, type TaggedRow } from "./tag-files.sql.ts";

/** Makes spreadsheets read the file as UTF-8. Without it, letters of names and values change when the file is saved again. */
const BYTE_ORDER_MARK = "\uFEFF";

/** Opens the file, with these tags as columns. Default: all in use. Throws a 400 for too many. */
export async function exportTags(
  { database }: { database: Database },
  { caller }: Call,
  { names: asked }: { names: readonly string[] | undefined },
): Promise<AsyncIterable<string>> {
  const scope = {
    organizationId: caller.organizationId,
    workspaceIds: listPermittedWorkspaces(caller, "workspaces:read"),
    keyWorkspaceIds: listPermittedWorkspaces(caller, "api_keys:read"),
  };
  const names = asked ?? (await listNamesInUse(database, scope, MAX_TAG_FILE_COLUMNS + 1));
  if (names.length > MAX_TAG_FILE_COLUMNS) {
    const most = `more than ${MAX_TAG_FILE_COLUMNS} names of tags are in use`;
    throw refuseField("name", `${most}, so choose the columns of the file.`);
  }
  const columns: CsvColumns<TaggedRow> = {
    kind: (row) => row.kind,
    id: (row) => row.id,
    name: (row) => row.name,
    workspace: (row) => row.workspace,
    ...Object.fromEntries(
      names.map((name) => [
        `${TAG_COLUMN_PREFIX}${name}`,
        ({ tags }: TaggedRow) => (Object.hasOwn(tags, name) && tags[name]) || null,
      ]),
    ),
  };
  const readPage = (after: RowPlace | null) => listTaggedRows(database, scope, after);
  // A refusal of the first statement has a status, which a later one cannot have.
  const first = await readPage(null);
  return withByteOrderMark(toFile("csv", columns, readPages(first, readPage)));
}

async function* withByteOrderMark(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK;
  yield* pieces;
}

async function* readPages(
  first: TaggedRow[],
  readPage: (after: RowPlace) => Promise<TaggedRow[]>,
): AsyncGenerator<TaggedRow[]> {
  for (let page = first; page.length > 0; ) {
    yield page;
    const last = page.at(-1);
    page = last === undefined ? [] : await readPage(last);
  }
}
