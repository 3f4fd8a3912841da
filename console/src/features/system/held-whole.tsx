import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { ConfirmChange } from "../../kit/confirm-change.tsx";
import { type ItemOf, useChange, useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { formatCount } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { type Column, Table } from "../../ui/table.tsx";

type Bound = ItemOf<"listExceededBounds">;

/** Models and tools that exceeded a bound of streams held in steps. Nothing without one. */
export function HeldWholeSection() {
  const may = useMay();
  const mayChange = may("model_prices:write");
  const bounds = useList("listExceededBounds", {}, { isEnabled: may("model_prices:read") });
  const [chosen, setChosen] = useState<Bound | null>(null);
  const columns = useMemo(() => makeColumns(mayChange ? setChosen : null), [mayChange]);
  const items = bounds.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Section
      title="Held whole"
      lead="Streams with these models and tools were faster or larger than strict limits assume. Limits hold them whole, so fewer requests fit at once."
    >
      <Table label="Held whole" columns={columns} rows={items} rowKey={({ id }) => id} />
      {chosen !== null && <DeleteBound bound={chosen} onClose={() => setChosen(null)} />}
    </Section>
  );
}

function DeleteBound({ bound, onClose }: { bound: Bound; onClose: () => void }) {
  const remove = useChange("deleteExceededBound", ["listExceededBounds", "getSystem"]);
  return (
    <ConfirmChange
      change={remove}
      input={{ params: { exceeded_bound_id: bound.id } }}
      action="Hold in steps"
      toast={`${bound.name} is held in steps`}
      onClose={onClose}
    >
      New streams with {bound.name} are held in steps again. Another stream beyond the bound adds
      the entry again.
    </ConfirmChange>
  );
}

function makeColumns(onDelete: ((bound: Bound) => void) | null): Column<Bound>[] {
  return [
    { id: "name", header: "Name", cell: ({ name }) => <code>{name}</code> },
    {
      id: "observed",
      header: "Observed",
      isNumeric: true,
      from: "sm",
      isBelow: true,
      cell: (bound) => formatFigure(bound, bound.observed_tokens),
    },
    {
      id: "allowed",
      header: "Assumed",
      isNumeric: true,
      from: "sm",
      cell: (bound) => formatFigure(bound, bound.allowed_tokens),
    },
    {
      id: "at",
      header: "Since",
      from: "sm",
      cell: ({ exceeded_at, request_id }) => (
        <Link to="/requests" search={{ open: request_id }} className="link">
          <RelativeTime at={exceeded_at} />
        </Link>
      ),
    },
    ...(onDelete === null
      ? []
      : [
          {
            id: "actions",
            header: "",
            isNumeric: true,
            cell: (bound: Bound) => (
              <Button
                kind="quiet"
                onClick={() => onDelete(bound)}
                aria-label={`Hold ${bound.name} in steps`}
              >
                Hold in steps…
              </Button>
            ),
          },
        ]),
  ];
}

function formatFigure({ kind }: Bound, tokens: number): string {
  return kind === "model" ? `${formatCount(tokens)} tokens/s` : `${formatCount(tokens)} tokens`;
}
