import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { resolveRange } from "../../kit/usage/range.ts";
import { MarkedMoney } from "../../kit/usage/simulated.tsx";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { type ItemOf, useApi } from "../../queries.ts";
import { toNanoUsd } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { useNow } from "../../ui/use-now.ts";

const TOP = 5;
const DAY_MS = 86_400_000;
const EVERY_MS = 60_000;

type Row = ItemOf<"getCost">;

/** Workspaces and models with the highest cost of this month. */
export function TopCosts() {
  return (
    <div className="grid gap-x-12 gap-y-10 lg:grid-cols-2">
      <Top
        title="Workspaces by cost"
        groupBy="workspace"
        keyOf={({ workspace_id }) => workspace_id ?? ""}
        nameOf={({ workspace_id }) => <WorkspaceLink id={workspace_id ?? ""} />}
        more={
          <Link
            to="/cost"
            search={{ range: "month", by: "workspace" }}
            className="link target text-sm"
          >
            All workspaces
          </Link>
        }
      />
      <Top
        title="Models by cost"
        groupBy="model"
        keyOf={({ model }) => model ?? ""}
        nameOf={({ model }) => model}
        more={
          <Link to="/cost" search={{ range: "month", by: "model" }} className="link target text-sm">
            All models
          </Link>
        }
      />
    </div>
  );
}

interface TopProps {
  title: string;
  groupBy: "workspace" | "model";
  keyOf: (row: Row) => string;
  nameOf: (row: Row) => ReactNode;
  more: ReactNode;
}

function Top({ title, groupBy, keyOf, nameOf, more }: TopProps) {
  const day = Math.floor(useNow() / DAY_MS);
  const { startingAt, endingAt } = useMemo(() => resolveRange("month", day * DAY_MS, {}), [day]);
  const query = {
    ...({ starting_at: startingAt, ending_at: endingAt, bucket: "none", limit: TOP } as const),
    group_by: [groupBy],
  };
  const cost = useApi("getCost", { query }, { everyMs: EVERY_MS });
  if (cost.error && !cost.data) return <ErrorState error={cost.error} />;
  const rows = (cost.data?.data ?? []).filter((row) => toNanoUsd(row.cost_usd) > 0n);
  const largest = rows[0] ? toNanoUsd(rows[0].cost_usd) : 0n;
  return (
    <Section title={title} actions={more}>
      {!cost.data ? (
        <SkeletonRows rows={TOP} />
      ) : rows.length === 0 ? (
        <p className="border-y border-line py-3 text-sm text-quiet">No cost this month yet.</p>
      ) : (
        <ol className="divide-y divide-line border-y border-line text-sm">
          {rows.map((row) => (
            <li
              key={keyOf(row)}
              className="grid grid-cols-[minmax(0,1fr)_2.5rem_7.25rem] items-center gap-3 py-2.5 sm:grid-cols-[minmax(0,1fr)_5rem_7.5rem] sm:gap-4"
            >
              <span className="font-medium wrap-anywhere sm:truncate">{nameOf(row)}</span>
              <svg
                aria-hidden="true"
                viewBox="0 0 100 4"
                preserveAspectRatio="none"
                className="h-1.5 w-full"
              >
                <rect
                  width={largest > 0n ? Number((toNanoUsd(row.cost_usd) * 100n) / largest) : 0}
                  height="4"
                  className="fill-accent"
                />
              </svg>
              <span className="text-right">
                <MarkedMoney usd={row.cost_usd} partNano={toNanoUsd(row.simulated_cost_usd)} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}
