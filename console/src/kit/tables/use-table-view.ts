import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { TableView } from "../../ui/table-columns.ts";
import { fromSortText, toSortText, type ViewSearch } from "./view-fields.ts";

/** Order and columns of the page's table. The address has both, so that a view can be shared. */
export function useTableView(): TableView {
  const { sort, columns }: ViewSearch = useSearch({ strict: false });
  const change = useChangeSearch();
  return useMemo(
    () => ({
      sort: fromSortText(sort),
      onSort: (next) => change({ sort: toSortText(next) }),
      columns: columns === undefined ? null : columns.split(","),
    }),
    [sort, columns, change],
  );
}

/** Changes fields of the address of this page. */
export function useChangeSearch(): (changed: ViewSearch) => void {
  const navigate = useNavigate();
  return useMemo(
    () => (changed) =>
      void navigate({
        to: ".",
        search: (before: object) => ({ ...before, ...changed }),
        replace: true,
      } as never),
    [navigate],
  );
}
