import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { type ItemOf, useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Input } from "../../ui/input.tsx";
import { Page } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { SetPriceDialog } from "./components.tsx";
import { NeutralFeatures } from "./neutral-features.tsx";

type ModelPrice = ItemOf<"listModelPrices">;

export function ModelPricesPage() {
  const may = useMay();
  const prices = useList("listModelPrices", {});
  const [search, setSearch] = useState("");
  const [edited, setEdited] = useState<string | null>(null);
  const mayChange = may("model_prices:write");
  const columns = useMemo(() => makeColumns(mayChange ? setEdited : null), [mayChange]);
  if (prices.error) return <LoadError error={prices.error} onRetry={() => void prices.refetch()} />;
  const wanted = search.trim().toLowerCase();
  const rows = (prices.data?.items ?? []).filter(({ model, aliases }) =>
    [model, ...aliases].some((name) => name.toLowerCase().includes(wanted)),
  );
  return (
    <Page
      title="Model prices"
      lead="Published prices in US dollars per million tokens. Custom prices apply from their start date. Earlier usage keeps its price."
      actions={
        mayChange && (
          <Button kind="primary" data-create onClick={() => setEdited("")}>
            <Plus size={16} /> Set price…
          </Button>
        )
      }
    >
      <div className="grid gap-4">
        <Input
          type="search"
          data-search
          aria-label="Search models"
          placeholder="Search models"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          className="max-w-xs"
        />
        {prices.isPending ? (
          <SkeletonRows />
        ) : (
          <Table
            label="Models and prices"
            columns={columns}
            rows={rows}
            rowKey={(row) => row.model}
          />
        )}
        {prices.data && rows.length === 0 && (
          <p className="text-quiet">No model has “{search}” in its name.</p>
        )}
      </div>
      {/* Below a table of unknown height, so it appears after it. */}
      {prices.data && <NeutralFeatures mayChange={mayChange} />}
      {edited !== null && <SetPriceDialog model={edited} onClose={() => setEdited(null)} />}
    </Page>
  );
}

type PriceName = keyof NonNullable<ModelPrice["prices"]>;

function makeColumns(onEdit: ((model: string) => void) | null): Column<ModelPrice>[] {
  return [
    {
      id: "model",
      header: "Model",
      sortBy: (row) => row.model,
      cell: (row) => (
        <span className="grid">
          <span className="flex flex-wrap items-center gap-2 font-medium">
            {row.model}
            {row.lifecycle === "retired" && <Badge>retired</Badge>}
            {row.source === "override" && <Badge tone="accent">custom price</Badge>}
            {row.source === null && <Badge tone="warn">no price</Badge>}
          </span>
          {row.aliases.length > 0 && (
            <span className="text-xs text-quiet">{row.aliases.join(", ")}</span>
          )}
        </span>
      ),
    },
    price("input_usd", "Input"),
    price("output_usd", "Output"),
    price("cache_write_5m_usd", "Cache write 5 min", "lg"),
    price("cache_write_1h_usd", "Cache write 1 h", "xl"),
    price("cache_read_usd", "Cache read", "sm"),
    {
      id: "actions",
      header: "",
      isNumeric: true,
      from: "sm",
      cell: (row) =>
        onEdit && (
          <Button
            kind="quiet"
            onClick={() => onEdit(row.model)}
            aria-label={`Set price of ${row.model}…`}
          >
            Set price…
          </Button>
        ),
    },
  ];
}

function price(name: PriceName, header: string, from?: "sm" | "lg" | "xl"): Column<ModelPrice> {
  return {
    id: name,
    header,
    isNumeric: true,
    ...(from && { from }),
    sortBy: (row) => Number(row.prices?.[name] ?? -1),
    cell: (row) =>
      row.prices ? (
        <span className="figures">${trimPrice(row.prices[name])}</span>
      ) : (
        <span className="text-faint">–</span>
      ),
  };
}

/** Prices have as many digits as they need, and at least cents: $0.30, $18.75, $0.025. */
function trimPrice(text: string): string {
  const [whole = "0", fraction = ""] = text.split(".");
  return `${whole}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`;
}
