import { matching } from "../../search-fields.ts";
import { type Column, pickColumns, type Sort } from "../../ui/table-columns.ts";

// Order and columns of a table in the address: `?sort=-created_at&columns=name,created_at`.

/** Fields for the search reader of a page with one table. */
export const viewFields = {
  /** Id of a column. A minus before it: the order is descending. */
  sort: matching(/^-?[a-z_]{1,40}$/),
  /** Ids of the shown columns. Absent: all that are not optional. */
  columns: matching(/^[a-z_]{1,40}(,[a-z_]{1,40}){0,39}$/),
};

/** Fields of an address that describe its table, not its rows. */
export interface ViewSearch {
  sort?: string | undefined;
  columns?: string | undefined;
}

export function fromSortText(text: string | undefined): Sort | null {
  if (text === undefined) return null;
  const isDescending = text.startsWith("-");
  return { id: isDescending ? text.slice(1) : text, isDescending };
}

export function toSortText({ id, isDescending }: Sort): string {
  return isDescending ? `-${id}` : id;
}

/** Returns the text for the address. Undefined: the columns that are shown without a choice. */
export function toColumnsText<Row extends object>(
  all: readonly Column<Row>[],
  chosen: ReadonlySet<string>,
): string | undefined {
  const ids = pickColumns(all, [...chosen]).map(({ id }) => id);
  const usual = pickColumns(all, null).map(({ id }) => id);
  return ids.join() === usual.join() ? undefined : ids.join();
}
