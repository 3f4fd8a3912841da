import type { Column, TableView } from "../../ui/table-columns.ts";
import { ColumnsMenu } from "./columns-menu.tsx";
import { ViewsMenu } from "./views-menu.tsx";

interface TableToolsProps<Row extends object> {
  columns: readonly Column<Row>[];
  view: TableView;
}

/** Menus of a page's table: its columns, and the saved views. */
export function TableTools<Row extends object>({ columns, view }: TableToolsProps<Row>) {
  return (
    <span className="no-print flex">
      <ColumnsMenu columns={columns} view={view} />
      <ViewsMenu />
    </span>
  );
}
