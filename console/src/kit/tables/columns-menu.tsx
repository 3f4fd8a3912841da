import { Columns3 } from "lucide-react";
import { Button } from "../../ui/button.tsx";
import { Menu, MenuCheckbox, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import {
  type Column,
  isFixed,
  isHidden,
  pickColumns,
  type TableView,
} from "../../ui/table-columns.ts";
import { useScreen } from "../../ui/use-screen.ts";
import { useChangeSearch } from "./use-table-view.ts";
import { toColumnsText } from "./view-fields.ts";

interface ColumnsMenuProps<Row extends object> {
  /** All columns of the table, with those that are optional. */
  columns: readonly Column<Row>[];
  view: TableView;
}

/** Menu that shows and hides columns of the page's table, if the screen has room for them. The address has the choice. */
export function ColumnsMenu<Row extends object>({ columns, view }: ColumnsMenuProps<Row>) {
  const change = useChangeSearch();
  const screen = useScreen();
  const shown = new Set(pickColumns(columns, view.columns).map(({ id }) => id));
  const toggle = (id: string, isShown: boolean) => {
    const next = new Set(shown);
    if (isShown) next.add(id);
    else next.delete(id);
    change({ columns: toColumnsText(columns, next) });
  };
  return (
    <Menu
      trigger={
        <Button kind="quiet">
          <Columns3 size={15} /> Columns
        </Button>
      }
    >
      {columns.map(
        (column, position) =>
          !(isFixed(column, position) || isHidden(column, screen)) && (
            <MenuCheckbox
              key={column.id}
              isChecked={shown.has(column.id)}
              onChange={(isShown) => toggle(column.id, isShown)}
            >
              {column.header}
            </MenuCheckbox>
          ),
      )}
      {view.columns !== null && (
        <>
          <MenuSeparator />
          <MenuItem onSelect={() => change({ columns: undefined })}>Show usual columns</MenuItem>
        </>
      )}
    </Menu>
  );
}
