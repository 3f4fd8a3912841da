import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { MarkedMoney, SimulatedPart } from "../../kit/usage/simulated.tsx";
import { Money } from "../../ui/amounts.tsx";
import { classNames } from "../../ui/class-names.ts";
import { formatCount, nanoToUsdText, shareOf } from "../../ui/format.ts";
import { NameLink } from "../../ui/name-link.tsx";
import { Section } from "../../ui/page.tsx";
import { Stat, StatRow } from "../../ui/stat.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { addSums, type TagName, type TagSum, type TagValue } from "./tag-names.ts";

/** Long text ends in an ellipsis on narrow screens. */
const cut = "block truncate max-sm:max-w-40";
const link = "link text-sm";

interface NameTableProps {
  names: readonly TagName[];
  chosen: string;
  hasCost: boolean;
}

/** Names of tags. Each opens its values. */
export function NameTable({ names, chosen, hasCost }: NameTableProps) {
  const columns = useMemo(() => makeNameColumns(chosen, hasCost), [chosen, hasCost]);
  return (
    <div className="grid gap-3">
      <Table label="Tags" columns={columns} rows={names} rowKey={({ name }) => name} />
      {hasCost && (
        <p className="text-sm text-quiet">
          Spend of this month, in UTC. Untagged is the spend without a tag of the name.
        </p>
      )}
    </div>
  );
}

function makeNameColumns(chosen: string, hasCost: boolean): Column<TagName>[] {
  const name: Column<TagName> = {
    id: "name",
    header: "Name",
    sortBy: (each) => each.name,
    cell: (each) => (
      <span className={classNames(cut, each.name === chosen && "text-accent")}>
        <NameLink to="/tags" search={{ name: each.name }} resetScroll={false}>
          {each.name}
        </NameLink>
      </span>
    ),
  };
  const values = countColumn<TagName>("values", "Values", (each) => each.values.length);
  const cost: Column<TagName>[] = [
    costColumn("cost", "Spend", (each) => each.cost),
    costColumn("untagged", "Untagged", (each) => each.untagged),
  ];
  return [name, { ...values, from: "sm" }, ...subjectColumns<TagName>(), ...(hasCost ? cost : [])];
}

/** Values of one name, with the spend that has none. */
export function ValueSection({ name, hasCost }: { name: TagName; hasCost: boolean }) {
  const total = addSums(name.cost, name.untagged);
  const columns = useMemo(() => makeValueColumns(hasCost, total.nano), [hasCost, total.nano]);
  return (
    <Section
      title={name.name}
      actions={
        hasCost && (
          <>
            <Link
              to="/usage"
              search={{ by: "tag", tagName: name.name, range: "month" }}
              className={link}
            >
              Usage by {name.name}
            </Link>
            <Link
              to="/usage"
              search={{ without: name.name, by: "workspace", range: "month" }}
              className={link}
            >
              Usage without {name.name}
            </Link>
          </>
        )
      }
    >
      {hasCost && (
        <StatRow>
          <SpendStat label="Spend" sum={total} />
          <SpendStat label={`With ${name.name}`} sum={name.cost} of={total} />
          <SpendStat label="Untagged" sum={name.untagged} of={total} />
        </StatRow>
      )}
      <Table
        label={`Values of ${name.name}`}
        columns={columns}
        rows={name.values}
        rowKey={({ id }) => id}
        initialSort={hasCost ? { id: "cost", isDescending: true } : { id: "value" }}
      />
    </Section>
  );
}

function makeValueColumns(hasCost: boolean, totalNano: bigint): Column<TagValue>[] {
  const value: Column<TagValue> = {
    id: "value",
    header: "Value",
    sortBy: (each) => each.value,
    cell: (each) => (
      <span className={`${cut} font-medium`}>
        {hasCost ? (
          <NameLink to="/usage" search={{ tag: [each.id], range: "month" }}>
            {each.value}
          </NameLink>
        ) : (
          each.value
        )}
      </span>
    ),
  };
  const share: Column<TagValue> = {
    id: "share",
    header: "Share",
    isNumeric: true,
    from: "sm",
    cell: (each) => formatShare(each.cost.nano, totalNano),
  };
  const cost = costColumn<TagValue>("cost", "Spend", (each) => each.cost);
  return [value, ...subjectColumns<TagValue>(), ...(hasCost ? [cost, share] : [])];
}

function subjectColumns<Row extends { workspaceCount: number; keyCount: number }>(): Column<Row>[] {
  return [
    { ...countColumn<Row>("workspaces", "Workspaces", (row) => row.workspaceCount), from: "sm" },
    { ...countColumn<Row>("keys", "Keys", (row) => row.keyCount), from: "sm" },
  ];
}

function countColumn<Row extends object>(
  id: string,
  header: string,
  count: (row: Row) => number,
): Column<Row> {
  return { id, header, isNumeric: true, sortBy: count, cell: (row) => formatCount(count(row)) };
}

function costColumn<Row extends object>(
  id: string,
  header: string,
  read: (row: Row) => TagSum,
): Column<Row> {
  const cell = (row: Row) => <Spend sum={read(row)} />;
  return { id, header, isNumeric: true, sortBy: (row) => read(row).nano, cell };
}

function Spend({ sum: { nano, simulatedNano } }: { sum: TagSum }) {
  return <MarkedMoney usd={nanoToUsdText(nano)} partNano={simulatedNano} />;
}

/** A figure with its share of a larger sum, and its simulated part. */
function SpendStat({ label, sum, of }: { label: string; sum: TagSum; of?: TagSum }) {
  return (
    <Stat
      label={label}
      value={<Money usd={nanoToUsdText(sum.nano)} />}
      note={
        <>
          {of && formatShare(sum.nano, of.nano)}{" "}
          <SimulatedPart partNano={sum.simulatedNano} sumNano={sum.nano} />
        </>
      }
    />
  );
}

function formatShare(part: bigint, whole: bigint): string {
  return `${Math.round(shareOf(nanoToUsdText(part), nanoToUsdText(whole)) * 100)}%`;
}
