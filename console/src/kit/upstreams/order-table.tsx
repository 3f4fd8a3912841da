import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react";
import { IconButton } from "../../ui/button.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { moveId, splitByOrder } from "./order.ts";
import type { Upstream } from "./queries.ts";

interface OrderTableProps {
  label: string;
  upstreams: readonly Upstream[];
  /** Ids in the order of attempts. */
  ids: readonly string[];
  /** Null: the order cannot be changed. */
  onChange: ((ids: string[]) => void) | null;
  /** Columns beside position and moves. The first has the name. */
  columns: readonly Column<Upstream>[];
  /** Buttons after those that move a row. */
  renderActions?: (upstream: Upstream) => ReactNode;
}

interface Move {
  id: string;
  by: -1 | 1;
}

/** Upstreams in the order of attempts, with buttons that move them. The focus follows a moved row. */
export function OrderTable(props: OrderTableProps) {
  const { label, upstreams, ids, onChange, columns, renderActions } = props;
  const [moved, setMoved] = useState<Move | null>(null);
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (moved !== null) focusMove(list.current, moved);
  }, [moved]);
  const rows = useMemo(() => splitByOrder(upstreams, ids).ordered, [upstreams, ids]);
  const all = useMemo(() => {
    const move = (id: string, by: -1 | 1) => {
      onChange?.(moveId(ids, id, by));
      setMoved({ id, by });
    };
    return [
      {
        id: "position",
        header: "Order",
        isNumeric: true as const,
        cell: ({ id }: Upstream) => ids.indexOf(id) + 1,
      },
      ...columns,
      {
        id: "actions",
        header: "",
        isNumeric: true as const,
        cell: (upstream: Upstream) => (
          <span className="inline-flex items-center">
            {onChange && ids.length > 1 && (
              <MoveButtons upstream={upstream} ids={ids} onMove={move} />
            )}
            {renderActions?.(upstream)}
          </span>
        ),
      },
    ];
  }, [columns, ids, onChange, renderActions]);
  const name = upstreams.find(({ id }) => id === moved?.id)?.name;
  return (
    <div ref={list}>
      <p role="status" className="sr-only">
        {moved && name && `${name}: ${ids.indexOf(moved.id) + 1} of ${ids.length}`}
      </p>
      <Table label={label} columns={all} rows={rows} rowKey={({ id }) => id} />
    </div>
  );
}

interface MoveButtonsProps {
  upstream: Upstream;
  ids: readonly string[];
  onMove: (id: string, by: -1 | 1) => void;
}

function MoveButtons({ upstream: { id, name }, ids, onMove }: MoveButtonsProps) {
  const position = ids.indexOf(id);
  return (
    <>
      <IconButton
        label={`Move ${name} up`}
        data-move={`${id} -1`}
        disabled={position === 0}
        onClick={() => onMove(id, -1)}
      >
        <ArrowUp size={16} />
      </IconButton>
      <IconButton
        label={`Move ${name} down`}
        data-move={`${id} 1`}
        disabled={position === ids.length - 1}
        onClick={() => onMove(id, 1)}
      >
        <ArrowDown size={16} />
      </IconButton>
    </>
  );
}

/** Focuses the pressed button in the new row, or the other one at an end of the order. */
function focusMove(list: HTMLElement | null, { id, by }: Move): void {
  const find = (direction: number) =>
    list?.querySelector<HTMLButtonElement>(`[data-move="${id} ${direction}"]:enabled`);
  (find(by) ?? find(-by))?.focus();
}
