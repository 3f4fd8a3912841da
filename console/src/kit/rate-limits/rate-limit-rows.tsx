import { type ReactNode, useMemo } from "react";
import { Badge } from "../../ui/badge.tsx";
import { formatCount } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { DelayedBadge } from "../delayed-change/delayed-badge.tsx";
import type { LimitActions, LimitRowsProps, NamedLimit } from "../limits/limit-kind.ts";
import { LimitMenu } from "../limits/limit-menu.tsx";
import { rankLabels } from "../rank-words.ts";
import type { RateLimit } from "./queries.ts";
import { describeOrigin, meters, meterWords, perMinuteOf, rateWords } from "./words.ts";

/** Rate limits, each with its current state. */
export function RateLimitRows({ rows, actions }: LimitRowsProps<RateLimit>) {
  const columns = useMemo(() => makeColumns(actions), [actions]);
  return (
    <Table label="Rate limits" columns={columns} rows={rows} rowKey={({ limit }) => limit.id} />
  );
}

function makeColumns(actions: LimitActions<RateLimit> | null): Column<NamedLimit<RateLimit>>[] {
  return [
    {
      id: "name",
      header: "Scope",
      cell: ({ limit, name }) => <LimitName limit={limit}>{name}</LimitName>,
    },
    ...rateColumns(({ limit }: NamedLimit<RateLimit>) => limit),
    ...(actions ? [actionsColumn(actions)] : []),
  ];
}

/** Scope and models of a limit. Narrow screens hide the rate columns, so the name shows the rates too. */
export function LimitName({ limit, children }: { limit: RateLimit; children: ReactNode }) {
  return (
    <span className="grid sm:max-w-56 sm:min-w-40">
      <span className="truncate font-medium">{children}</span>
      <span className="truncate text-xs text-quiet" title={limit.models?.join(", ")}>
        {limit.model_group_name}
      </span>
      <span className="text-xs sm:hidden">{rateWords(limit)}</span>
      <span className="text-xs text-quiet lg:hidden">{describeOrigin(limit)}</span>
      <DelayedBadge subject={limit.id} />
      {limit.blocks_now && (
        <span className="sm:hidden">
          <Now limit={limit} />
        </span>
      )}
    </span>
  );
}

/** Columns of the rates, and of the current state. */
export function rateColumns<Row extends object>(of: (row: Row) => RateLimit): Column<Row>[] {
  const kinds = meters.map(
    (meter): Column<Row> => ({
      id: meter,
      header: meterWords[meter].label,
      isNumeric: true,
      from: "sm",
      cell: (row) => <PerMinute perMinute={perMinuteOf(of(row), meter)} />,
    }),
  );
  return [
    ...kinds,
    { id: "now", header: "Status", from: "sm", cell: (row) => <Now limit={of(row)} /> },
    {
      id: "setters",
      header: "Set by",
      from: "lg",
      cell: (row) => <Setters limit={of(row)} />,
    },
  ];
}

function PerMinute({ perMinute }: { perMinute: number | null }) {
  if (perMinute === null) return <span className="text-faint">–</span>;
  return (
    <span className="figures whitespace-nowrap">
      {formatCount(perMinute)}
      <span className="text-faint"> / min</span>
    </span>
  );
}

/** Ranks that set the limit, one in a line, and groups with a default rate. Several ranks have their rates. */
function Setters({ limit: { values, inherited } }: { limit: RateLimit }) {
  const groups = Map.groupBy(inherited, ({ group_id }) => group_id);
  return (
    <span className="grid max-w-64 text-quiet">
      {values.map((value) => (
        <span key={value.rank}>
          {rankLabels[value.rank]}
          {values.length > 1 && <span className="text-xs">: {rateWords(value)}</span>}
        </span>
      ))}
      {[...groups].map(([id, rates]) => (
        <span key={id} className="truncate">
          Default of {rates[0]?.group_name}
        </span>
      ))}
    </span>
  );
}

/** Current state: available, or the time until requests are accepted again. */
function Now({ limit }: { limit: Pick<RateLimit, "blocks_now" | "free_at"> }) {
  if (!limit.blocks_now) return <span className="text-quiet">Available</span>;
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2">
      <Badge tone="warn">Blocked</Badge>
      {limit.free_at && (
        <span className="text-quiet">
          free <RelativeTime at={limit.free_at} />
        </span>
      )}
    </span>
  );
}

function actionsColumn({
  onEdit,
  onRemove,
  canRemove,
}: LimitActions<RateLimit>): Column<NamedLimit<RateLimit>> {
  return {
    id: "actions",
    header: "",
    isNumeric: true,
    cell: ({ limit, name }) => (
      <LimitMenu
        noun="rate limit"
        of={`${name}, ${limit.model_group_name}`}
        onEdit={() => onEdit(limit)}
        onRemove={canRemove(limit) ? () => onRemove(limit) : null}
      />
    ),
  };
}
