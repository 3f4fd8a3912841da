import { formatExactTime, formatMoment, nameTimeZone } from "../../ui/format.ts";
import type { Column } from "../../ui/table.tsx";

interface MomentOptions<Row> {
  /** Time of the request. */
  at: (row: Row) => string;
  /** Opens a request. A press on its row does so. Absent: rows open nothing. */
  onOpen?: (id: string) => void;
}

/** Columns for the time and the id of a request, the first two of each log. */
export function makeMomentColumns<Row extends { id: string }>({
  at,
  onOpen,
}: MomentOptions<Row>): Column<Row>[] {
  return [
    {
      id: "time",
      header: `Time, ${nameTimeZone()}`,
      cell: (row) => {
        const moment = formatMoment(at(row));
        const shared = { title: formatExactTime(at(row)), children: moment };
        if (!onOpen) return <span {...shared} className="figures whitespace-nowrap" />;
        return (
          <button
            type="button"
            {...shared}
            aria-label={`${moment}, open ${row.id}`}
            className="figures rounded-sm text-left after:absolute after:inset-0 whitespace-nowrap"
            onClick={() => onOpen(row.id)}
          />
        );
      },
    },
    {
      id: "id",
      header: "Request",
      from: "sm",
      cell: ({ id }) => (
        <code title={id} className="whitespace-nowrap">
          {id.slice(-8)}
        </code>
      ),
    },
  ];
}
