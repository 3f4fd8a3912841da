import { useMemo } from "react";
import { Money, Tokens } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { classNames } from "../../ui/class-names.ts";
import { formatCount, nanoToUsdText, shareOf, toNanoUsd } from "../../ui/format.ts";
import { type Column, Table } from "../../ui/table.tsx";
import type { Breakpoint } from "../../ui/table-columns.ts";
import { breakpoints, cellGap } from "../../ui/table-rows.tsx";
import { MAX_GROUPS, type ReportKind } from "./report-input.ts";
import type { Report, Totals } from "./report-query.ts";
import { type GroupName, seriesNames } from "./search.ts";
import { type GroupSum, sumGroups, sumOfSeries } from "./series.ts";
import { SimulatedPart } from "./simulated.tsx";
import { groupWords, metricWords } from "./words.ts";

interface GroupTableProps {
  kind: ReportKind;
  report: Report;
  groupBy: GroupName | null;
}

/** Numbers of the whole range per group. The last row is the server's total. */
export function GroupTable({ kind, report, groupBy }: GroupTableProps) {
  const sums = useMemo(() => {
    if (report.groups.length > 0 && groupBy !== "token_type") {
      return sumGroups(report.groups, groupBy);
    }
    // The server does not sort these rows.
    const rows = report.groups.length > 0 ? report.groups : report.rows;
    return sumGroups(rows, groupBy).sort(byCost);
  }, [report, groupBy]);
  const columns = useMemo(
    () => makeColumns(kind, groupBy, report.totals.cost_usd),
    [kind, groupBy, report.totals.cost_usd],
  );
  return (
    <div className="grid gap-3">
      <Table
        label={kind === "cost" ? "Cost" : "Usage and cost"}
        columns={columns}
        rows={sums}
        rowKey={(sum) => sum.key}
        footer={<TotalRow columns={columns} report={report} />}
      />
      {report.areGroupsCut && (
        <p className="text-sm text-quiet">
          The first {formatCount(MAX_GROUPS)} are shown. Totals and files include all groups.
        </p>
      )}
    </div>
  );
}

function byCost(a: GroupSum, b: GroupSum): number {
  if (a.costNano === b.costNano) return 0;
  return a.costNano > b.costNano ? -1 : 1;
}

/** Badge of a model without a price, or of another group with requests to such models. */
function Unpriced({ sum, isModel }: { sum: GroupSum; isModel: boolean }) {
  if (sum.unpricedRequests === 0) return null;
  return (
    <Badge tone="warn">
      {isModel ? "no price" : `${formatCount(sum.unpricedRequests)} without a price`}
    </Badge>
  );
}

/** Badge of a group with requests that have parts in no cost. */
function PartlyUnbilled({ sum }: { sum: GroupSum }) {
  if (sum.partlyUnbilledRequests === 0) return null;
  return <Badge tone="warn">{formatCount(sum.partlyUnbilledRequests)} with unbilled parts</Badge>;
}

type ReportColumn = Column<GroupSum> & { total: (totals: Totals) => React.ReactNode };

function TotalRow({ columns, report }: { columns: readonly ReportColumn[]; report: Report }) {
  const { totals } = report;
  return (
    <tr>
      {columns.map(({ id, from, total }) =>
        id === "group" ? (
          <th
            key={id}
            scope="row"
            className={classNames("py-2 pl-1 text-left font-medium", cellGap)}
          >
            <span className="flex flex-wrap items-center gap-x-2">
              Total{" "}
              <SimulatedPart
                partNano={toNanoUsd(totals.simulated_cost_usd)}
                sumNano={toNanoUsd(totals.cost_usd)}
              />
            </span>
          </th>
        ) : (
          <td
            key={id}
            className={classNames(
              "h-12 py-2 pl-1 text-right figures last:pr-1",
              cellGap,
              id === "cost" && "max-sm:pr-1",
              from && breakpoints[from],
            )}
          >
            {total(totals)}
          </td>
        ),
      )}
    </tr>
  );
}

function makeColumns(
  kind: ReportKind,
  groupBy: GroupName | null,
  totalUsd: string,
): ReportColumn[] {
  const group: ReportColumn = {
    id: "group",
    header: groupBy ? groupWords[groupBy] : "Everything",
    sortBy: (sum) => sum.name,
    cell: (sum) => (
      <span className="flex flex-wrap items-center gap-x-2 font-medium max-sm:max-w-36">
        <span className="break-words max-sm:max-w-36 sm:truncate">{sum.name}</span>
        {groupBy !== "token_type" && <Unpriced sum={sum} isModel={groupBy === "model"} />}
        {groupBy !== "token_type" && <PartlyUnbilled sum={sum} />}{" "}
        <SimulatedPart partNano={sum.simulatedNano} sumNano={sum.costNano} />
      </span>
    ),
    total: () => null,
  };
  const cost: ReportColumn = {
    id: "cost",
    header: "Cost",
    isNumeric: true,
    sortBy: (sum) => sum.costNano,
    cell: (sum) => <Money usd={nanoToUsdText(sum.costNano)} />,
    total: (totals) => <Money usd={totals.cost_usd} />,
  };
  const share: ReportColumn = {
    id: "share",
    header: "Share",
    isNumeric: true,
    from: "sm",
    cell: (sum) => `${Math.round(shareOf(nanoToUsdText(sum.costNano), totalUsd) * 100)}%`,
    total: () => null,
  };
  const counted = kind === "usage" ? usageColumns : groupBy === "token_type" ? [units] : [requests];
  return [group, ...counted, cost, share];
}

const requests: ReportColumn = {
  id: "requests",
  header: "Requests",
  isNumeric: true,
  sortBy: (sum) => sum.requests ?? 0,
  cell: (sum) => formatCount(sum.requests ?? 0),
  total: (totals) => formatCount(totals.requests),
};

const units: ReportColumn = {
  ...tokens(
    "units",
    "Tokens or searches",
    "sm",
    (sum) => sum.units,
    () => null,
  ),
};

type UsageTotals = Extract<Totals, { total_tokens: number }>;
const countUsage = (count: (totals: UsageTotals) => number) => (totals: Totals) =>
  "total_tokens" in totals ? count(totals) : null;

/** Caches need a wider window than input and output. */
const from: Record<(typeof seriesNames)[number], Breakpoint> = {
  input: "lg",
  cache_write: "xl",
  cache_read: "xl",
  output: "sm",
};

const usageColumns: ReportColumn[] = [
  requests,
  {
    id: "errors",
    header: "Errors",
    isNumeric: true,
    from: "lg",
    sortBy: (sum) => sum.errors,
    cell: (sum) => formatCount(sum.errors),
    total: (totals) => formatCount(countUsage((all) => all.errors)(totals) ?? 0),
  },
  ...seriesNames.map((name) =>
    tokens(
      name,
      metricWords[name],
      from[name],
      (sum) => sum.tokens[name],
      countUsage((all) => sumOfSeries(all, name)),
    ),
  ),
];

function tokens(
  id: string,
  header: string,
  from: Breakpoint,
  of: (sum: GroupSum) => number,
  ofTotals: (totals: Totals) => number | null,
): ReportColumn {
  return {
    id,
    header,
    isNumeric: true,
    from,
    sortBy: of,
    cell: (sum) => <Tokens count={of(sum)} />,
    total: (totals) => {
      const count = ofTotals(totals);
      return count === null ? null : <Tokens count={count} />;
    },
  };
}
