import { useMemo } from "react";
import { type Column, Table } from "../../ui/table.tsx";
import { bucketWords } from "./drill.ts";
import { figure } from "./figures.ts";
import type { Range } from "./range.ts";
import type { Metric } from "./search.ts";
import type { Point, Series } from "./series.ts";

interface BucketTableProps {
  series: Series;
  metric: Metric;
  bucket: Range["bucket"];
  action: string;
  onPress: (point: Point) => void;
}

/** Data of the chart as a table: a row for each bar, a column for each colour. */
export function BucketTable({ series, metric, bucket, action, onPress }: BucketTableProps) {
  const columns = useMemo((): Column<Point>[] => {
    const groups = series.keys.map(
      (key): Column<Point> => ({
        id: `group-${key}`,
        header: series.names[key] ?? key,
        isNumeric: true,
        from: "sm",
        sortBy: ({ values }) => values[key] ?? 0n,
        cell: ({ values }) => figure(values[key] ?? 0n, metric),
      }),
    );
    return [
      {
        id: "time",
        header: "Time",
        sortBy: ({ at }) => at,
        cell: (point) => (
          <button
            type="button"
            title={action}
            onClick={() => onPress(point)}
            className="rounded-sm text-left font-medium whitespace-nowrap after:absolute after:inset-0"
          >
            {bucketWords(point.at, bucket)}
            {point.isRunning && <span className="font-normal text-quiet">, not complete</span>}
          </button>
        ),
      },
      ...(series.keys.length > 1 ? groups : []),
      {
        id: "total",
        header: "Total",
        isNumeric: true,
        sortBy: ({ total }) => total,
        cell: ({ total }) => figure(total, metric),
      },
    ];
  }, [series.keys, series.names, metric, bucket, action, onPress]);
  const rows = useMemo(() => series.points.filter(({ isFuture }) => !isFuture), [series.points]);
  return (
    <Table
      label="Chart data"
      columns={columns}
      rows={rows}
      rowKey={({ at }) => at}
      initialSort={{ id: "time", isDescending: true }}
    />
  );
}
