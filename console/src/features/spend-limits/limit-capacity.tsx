import type { SpendLimit } from "../../kit/spend-limits/queries.ts";
import { formatCount, formatUsd } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { type Capacity, useLimitCapacity } from "./queries.ts";

type Model = Capacity["models"][number];

/** How many usual requests of each model the limit could start now. */
export function LimitCapacity({ limit }: { limit: SpendLimit }) {
  const capacity = useLimitCapacity(limit.id);
  return (
    <Section
      title="Requests that could start now"
      lead="From the usual requests of the last 24 hours, at the 90th percentile. Budget that nodes hold in advance is not counted."
    >
      {capacity.error ? (
        <FormError error={capacity.error} />
      ) : capacity.data ? (
        <CapacityTable capacity={capacity.data} />
      ) : (
        <SkeletonRows rows={2} />
      )}
    </Section>
  );
}

function CapacityTable({ capacity }: { capacity: Capacity }) {
  const { models } = capacity;
  if (models.length === 0) return <p className="text-quiet">No requests in the last 24 hours.</p>;
  const isInSteps = models.some(({ in_steps }) => in_steps !== null);
  return (
    <Table
      label="Requests that could start now"
      columns={isInSteps ? [...common, ...inSteps, ...whole] : [...common, ...whole]}
      rows={models}
      rowKey={({ model }) => model}
    />
  );
}

const common: readonly Column<Model>[] = [
  { id: "model", header: "Model", cell: ({ model }) => model },
  {
    id: "usual",
    header: "Usual cost",
    isNumeric: true,
    cell: ({ usual_cost_usd: usd }) => formatUsd(usd),
  },
];

const inSteps: readonly Column<Model>[] = [
  {
    id: "start",
    header: "Start of a stream",
    isNumeric: true,
    from: "sm",
    cell: ({ in_steps }) => (in_steps === null ? "Held whole" : formatUsd(in_steps.start_usd)),
  },
  {
    id: "streams",
    header: "Streams",
    isNumeric: true,
    cell: ({ in_steps, whole: held }) => formatCouldStart((in_steps ?? held).could_start),
  },
];

const whole: readonly Column<Model>[] = [
  {
    id: "hold",
    header: "Whole hold",
    isNumeric: true,
    from: "sm",
    cell: ({ whole: { hold_usd: usd } }) => formatUsd(usd),
  },
  {
    id: "whole",
    header: "Held whole",
    isNumeric: true,
    cell: ({ whole: { could_start: count } }) => formatCouldStart(count),
  },
];

/** Null: the limit holds nothing before a request. */
function formatCouldStart(count: number | null): string {
  return count === null ? "Any" : formatCount(count);
}
