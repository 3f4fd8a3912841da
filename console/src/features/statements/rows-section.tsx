import { useMemo } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay, useMayEverywhere } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { classNames } from "../../ui/class-names.ts";
import { formatCount, nanoToUsdText, shareOf, toNanoUsd } from "../../ui/format.ts";
import { Select } from "../../ui/input.tsx";
import { NameLink } from "../../ui/name-link.tsx";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { breakpoints, cellGap } from "../../ui/table-rows.tsx";
import {
  type Statement,
  type StatementGroup,
  type StatementRow,
  useStatementRows,
  useStatementSettings,
} from "./queries.ts";
import type { StatementSearch } from "./search.ts";
import { groupWords, withoutWords } from "./words.ts";

interface RowsSectionProps {
  month: string;
  /** Totals of the rows. */
  statement: Statement;
  search: StatementSearch;
  onSearch: (next: StatementSearch) => void;
}

/** Splits the statement by one label. */
export function RowsSection({ month, statement, search, onSearch }: RowsSectionProps) {
  const tag = useStatementSettings().data?.cost_center_tag ?? null;
  const by = search.by ?? (search.workspace === undefined ? "workspace" : "api_key");
  const may = useMay();
  const mayEverywhere = useMayEverywhere()("statements:read");
  const rows = useStatementRows(month, search, by);
  const columns = useMemo(
    () => makeColumns({ by, month, tag, mayEverywhere, rows: rows.data?.items ?? [] }),
    [by, month, tag, mayEverywhere, rows.data],
  );
  const words = groupWords.find(([group]) => group === by)?.[1] ?? "";
  if (rows.error) return <LoadError error={rows.error} onRetry={() => void rows.refetch()} />;
  return (
    <Section
      title={`By ${words.toLowerCase().replace("api", "API")}`}
      lead={
        by === "group"
          ? "A member can be in several groups, so rows can overlap."
          : by === "cost_center" && tag === null && may("contract_terms:read")
            ? "No tag of cost centres is chosen on the page Statements."
            : undefined
      }
      actions={
        <Select
          aria-label="Split by"
          className="no-print w-fit"
          value={by}
          onChange={({ target }) => onSearch({ ...search, by: target.value as StatementGroup })}
        >
          {groupWords.map(([group, label]) => (
            <option key={group} value={group}>
              {label}
            </option>
          ))}
        </Select>
      }
    >
      {rows.isPending ? (
        <SkeletonRows />
      ) : (
        <Table
          label={`Statement by ${words}`}
          columns={columns}
          rows={rows.data.items}
          rowKey={({ id }) => id ?? ""}
          footer={<TotalRow columns={columns} statement={statement} isOnce={by === "group"} />}
        />
      )}
    </Section>
  );
}

/** Scope of a row. Null: no statement of its own. */
function toScopeOf(
  by: StatementGroup,
  tag: string | null,
  { id, name }: StatementRow,
): StatementSearch | null {
  switch (by) {
    case "workspace":
      return id === null ? null : { workspace: id };
    case "group":
      return id === null ? null : { group: id };
    case "cost_center":
      if (tag === null) return null;
      return id === null ? { without_tag: tag } : { tag: `${tag}:${name ?? ""}` };
    default:
      return null;
  }
}

interface ColumnsOf {
  by: StatementGroup;
  month: string;
  /** Tag of cost centres. */
  tag: string | null;
  /** Whether the member may open statements beyond single workspaces. */
  mayEverywhere: boolean;
  rows: readonly StatementRow[];
}

function makeColumns({ by, month, tag, mayEverywhere, rows }: ColumnsOf): Column<StatementRow>[] {
  const total = rows.reduce((sum, row) => sum + toNanoUsd(row.net_cost_usd), 0n);
  const whole = nanoToUsdText(total > 0n ? total : 0n);
  const money = (
    id: string,
    header: string,
    field: "list_cost_usd" | "adjustments_usd" | "earlier_usd" | "discount_usd" | "net_cost_usd",
    from?: "sm" | "lg",
  ): Column<StatementRow> => ({
    id,
    header,
    isNumeric: true,
    sortBy: (row) => toNanoUsd(row[field]),
    cell: (row) => <Money usd={row[field]} />,
    ...(from && { from }),
    isPrinted: true,
  });
  return [
    {
      id: "name",
      header: groupWords.find(([group]) => group === by)?.[1] ?? "",
      sortBy: (row) => row.name ?? "",
      cell: (row) => {
        const name = row.name ?? row.id ?? withoutWords[by];
        const scope = mayEverywhere ? toScopeOf(by, tag, row) : null;
        if (scope === null) return <RowName name={name} detail={row.detail} />;
        return (
          <NameLink to="/statements/$month" params={{ month }} search={scope}>
            {name}
          </NameLink>
        );
      },
    },
    {
      id: "requests",
      header: "Requests",
      from: "xl",
      isNumeric: true,
      sortBy: (row) => row.requests,
      cell: (row) => formatCount(row.requests),
    },
    money("list", "List cost", "list_cost_usd", "sm"),
    money("adjustments", "Adjustments", "adjustments_usd", "lg"),
    money("earlier", "Earlier months", "earlier_usd", "lg"),
    money("discount", "Discount", "discount_usd", "sm"),
    money("net", "Net cost", "net_cost_usd"),
    {
      id: "share",
      header: "Share",
      from: "sm",
      isNumeric: true,
      cell: (row) => (total > 0n ? `${Math.round(shareOf(row.net_cost_usd, whole) * 100)}%` : "–"),
    },
  ];
}

interface TotalRowProps {
  columns: readonly Column<StatementRow>[];
  statement: Statement;
  /** Rows overlap, and the total counts each request once. */
  isOnce: boolean;
}

function TotalRow({ columns, statement, isOnce }: TotalRowProps) {
  const total: StatementRow = { ...statement, id: null, name: null, detail: null };
  return (
    <tr>
      {columns.map(({ id, from, isPrinted, cell }) =>
        id === "name" ? (
          <th
            key={id}
            scope="row"
            className={classNames("h-12 py-2 pl-1 text-left font-medium", cellGap)}
          >
            {isOnce ? "Total, each request once" : "Total"}
          </th>
        ) : (
          <td
            key={id}
            className={classNames(
              "h-12 py-2 pl-1 text-right font-medium figures last:pr-1",
              cellGap,
              from && breakpoints[from],
              isPrinted && "print:table-cell",
            )}
          >
            {id === "share" ? null : cell(total)}
          </td>
        ),
      )}
    </tr>
  );
}

function RowName({ name, detail }: { name: string; detail: string | null }) {
  return (
    <span className="grid">
      <span className="font-medium">{name}</span>
      {detail && <span className="text-xs text-quiet">{detail}</span>}
    </span>
  );
}
