import { useMemo } from "react";
import { Money, Tokens } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { formatCount, nanoToUsdText, shareOf } from "../../ui/format.ts";
import { type Column, Table } from "../../ui/table.tsx";
import type { Group, Usage } from "./queries.ts";
import { type GroupSum, sumByGroup } from "./sum-usage.ts";

const titles: Record<Group, string> = {
  workspace: "Workspace",
  api_key: "API key",
  model: "Model",
};

interface GroupTableProps {
  usage: Usage;
  groupBy: Group | null;
  nameOf: (key: string) => string;
}

/** The numbers of the chart, per group; the last row is the server's own total of the range. */
export function GroupTable({ usage, groupBy, nameOf }: GroupTableProps) {
  const sums = useMemo(() => sumByGroup(usage.rows, groupBy), [usage.rows, groupBy]);
  const columns = useMemo(
    () => makeColumns(groupBy, nameOf, usage.totals.cost_usd),
    [groupBy, nameOf, usage.totals.cost_usd],
  );
  return (
    <Table
      label="Usage and cost"
      columns={columns}
      rows={sums}
      rowKey={(sum) => sum.key}
      footer={<TotalRow usage={usage} />}
    />
  );
}

function TotalRow({ usage: { totals } }: { usage: Usage }) {
  const cell = "h-12 py-2 pr-4 pl-1 last:pr-1 text-right figures";
  return (
    <tr>
      <th scope="row" className="py-2 pr-4 pl-1 text-left font-medium">
        Total
      </th>
      <td className={cell}>{formatCount(totals.requests)}</td>
      <td className={`${cell} max-lg:hidden`}>
        <Tokens count={totals.input_tokens} />
      </td>
      <td className={`${cell} max-lg:hidden`}>
        <Tokens count={totals.cache_write_5m_tokens + totals.cache_write_1h_tokens} />
      </td>
      <td className={`${cell} max-lg:hidden`}>
        <Tokens count={totals.cache_read_tokens} />
      </td>
      <td className={`${cell} max-sm:hidden`}>
        <Tokens count={totals.output_tokens} />
      </td>
      <td className={cell}>
        <Money usd={totals.cost_usd} />
      </td>
      <td className={`${cell} max-sm:hidden`} />
    </tr>
  );
}

function makeColumns(
  groupBy: Group | null,
  nameOf: (key: string) => string,
  totalUsd: string,
): Column<GroupSum>[] {
  return [
    {
      id: "group",
      header: groupBy ? titles[groupBy] : "Everything",
      sortBy: (sum) => nameOf(sum.key),
      cell: (sum) => (
        <span className="flex items-center gap-2 font-medium">
          <span className="truncate max-sm:max-w-32">{nameOf(sum.key) || "Everything"}</span>
          {sum.unpricedRequests > 0 && <Badge tone="warn">no price set</Badge>}
        </span>
      ),
    },
    number("requests", "Requests", (sum) => sum.requests, formatCount),
    tokens("input", "Input", (sum) => sum.inputTokens, "lg"),
    tokens("cache_write", "Cache write", (sum) => sum.cacheWriteTokens, "lg"),
    tokens("cache_read", "Cache read", (sum) => sum.cacheReadTokens, "lg"),
    tokens("output", "Output", (sum) => sum.outputTokens, "sm"),
    {
      id: "cost",
      header: "Cost",
      isNumeric: true,
      sortBy: (sum) => sum.costNano,
      cell: (sum) => <Money usd={nanoToUsdText(sum.costNano)} />,
    },
    {
      id: "share",
      header: "Share",
      isNumeric: true,
      from: "sm",
      cell: (sum) => `${Math.round(shareOf(nanoToUsdText(sum.costNano), totalUsd) * 100)}%`,
    },
  ];
}

function number(
  id: string,
  header: string,
  of: (sum: GroupSum) => number,
  show: (count: number) => string,
): Column<GroupSum> {
  return { id, header, isNumeric: true, sortBy: of, cell: (sum) => show(of(sum)) };
}

function tokens(
  id: string,
  header: string,
  of: (sum: GroupSum) => number,
  from: "sm" | "lg",
): Column<GroupSum> {
  return {
    id,
    header,
    isNumeric: true,
    from,
    sortBy: of,
    cell: (sum) => <Tokens count={of(sum)} />,
  };
}
