import { useMemo } from "react";
import { Money } from "../../ui/amounts.tsx";
import { classNames } from "../../ui/class-names.ts";
import { toNanoUsd } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import type { Statement } from "./queries.ts";
import { causes, nameMonth } from "./words.ts";

/** Explains the change against the month before: a waterfall, and a row for each product. */
export function ChangeSection({ statement }: { statement: Statement }) {
  const { change } = statement;
  const columns = useMemo(makeColumns, []);
  return (
    <Section
      title={`Change against ${nameMonth(change.previous_month)}`}
      lead={<Difference usd={change.difference_usd} />}
    >
      <Waterfall statement={statement} />
      {change.products.length > 0 && (
        <Table
          label="Change by product"
          columns={columns}
          rows={change.products}
          rowKey={nameProduct}
        />
      )}
    </Section>
  );
}

/** Difference of the net cost, which the parts add up to. */
function Difference({ usd }: { usd: string }) {
  const nano = toNanoUsd(usd);
  if (nano === 0n) return "The net cost is the same. The parts add up to zero exactly.";
  return (
    <>
      The net cost is <Money usd={usd.replace("-", "")} /> {nano > 0n ? "higher" : "lower"}. The
      parts add up to this difference exactly.
    </>
  );
}

interface Step {
  label: string;
  /** Meaning of a part. Null: the net cost of a month. */
  hint: string | null;
  usd: string;
  isDecrease: boolean;
  /** Bounds of the bar, nano-USD. */
  low: bigint;
  high: bigint;
}

function makeStep(step: Pick<Step, "label" | "hint" | "usd">, from: bigint, to: bigint): Step {
  const isDecrease = to < from;
  return { ...step, isDecrease, low: isDecrease ? to : from, high: isDecrease ? from : to };
}

/** Steps from the earlier net cost to this one. */
function listSteps({ change, month, net_cost_usd }: Statement): Step[] {
  let level = toNanoUsd(change.previous_net_cost_usd);
  const parts = causes.map(([field, label, hint]) => {
    const from = level;
    level += toNanoUsd(change[field]);
    return makeStep({ label, hint, usd: change[field] }, from, level);
  });
  const whole = (label: string, usd: string) =>
    makeStep({ label, hint: null, usd }, 0n, toNanoUsd(usd));
  return [
    whole(nameMonth(change.previous_month), change.previous_net_cost_usd),
    ...parts,
    whole(nameMonth(month), net_cost_usd),
  ];
}

function compareNano(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Narrowest bar of a part, percent of the width. */
const MIN_WIDTH = 0.3;

function Waterfall({ statement }: { statement: Statement }) {
  const steps = listSteps(statement);
  const [lowest = 0n] = steps.map(({ low }) => low).sort(compareNano);
  const highest =
    steps
      .map(({ high }) => high)
      .sort(compareNano)
      .at(-1) ?? 0n;
  const range = highest === lowest ? 1n : highest - lowest;
  const percent = (nano: bigint) => Number((nano * 10_000n) / range) / 100;
  return (
    <dl className="divide-y divide-line border-y border-line text-sm">
      {steps.map(({ label, hint, usd, isDecrease, low, high }) => (
        <div
          key={label}
          className="grid grid-cols-[1fr_auto] items-center gap-x-6 gap-y-1 py-2 sm:grid-cols-[16rem_1fr_8rem]"
        >
          <dt>
            <span className={hint === null ? "font-medium" : undefined}>{label}</span>
            {hint && <span className="block text-xs text-quiet">{hint}</span>}
          </dt>
          <dd className="order-last col-span-2 h-3 sm:order-none sm:col-span-1" aria-hidden="true">
            {high > low && (
              <span
                className={classNames(
                  "block h-full rounded-xs [print-color-adjust:exact]",
                  hint === null ? "bg-edge" : isDecrease ? "bg-good" : "bg-warn",
                )}
                style={{
                  marginLeft: `${percent(low - lowest)}%`,
                  width: `${Math.max(MIN_WIDTH, percent(high - low))}%`,
                }}
              />
            )}
          </dd>
          <dd className="text-right">
            <Money usd={usd} className={hint === null ? "font-medium" : ""} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

type Product = Statement["change"]["products"][number];

/** Usual values are left out. */
function nameProduct(product: Product): string {
  const { model, service_tier, context_window, inference_geo, speed } = product;
  const marks = [
    ...(service_tier === "standard" ? [] : [service_tier]),
    ...(context_window === "0-200k" ? [] : [context_window]),
    ...(inference_geo === "us" ? ["US"] : []),
    ...(inference_geo === "global" ? ["global"] : []),
    ...(speed === "standard" ? [] : [speed]),
  ];
  return [model, ...marks].join(" · ");
}

function makeColumns(): Column<Product>[] {
  const money = (
    id: string,
    header: string,
    field: Exclude<
      keyof Product,
      "model" | "service_tier" | "context_window" | "inference_geo" | "speed"
    >,
    from?: "sm" | "lg",
  ): Column<Product> => ({
    id,
    header,
    isNumeric: true,
    sortBy: (product) => toNanoUsd(product[field]),
    cell: (product) => <Money usd={product[field]} />,
    ...(from && { from }),
    isPrinted: true,
  });
  return [
    { id: "product", header: "Product", sortBy: nameProduct, cell: nameProduct },
    money("before", "Before", "previous_list_cost_usd", "sm"),
    money("volume", "Volume", "volume_usd", "lg"),
    money("mix", "Mix", "mix_usd", "lg"),
    money("cache", "Cache", "cache_usd", "lg"),
    money("price", "Price", "price_usd", "lg"),
    money("after", "List cost", "list_cost_usd"),
  ];
}
