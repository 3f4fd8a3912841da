import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { type ItemOf, useChange, useList } from "../../queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { formatIsoDay } from "../../ui/format.ts";
import { Input, Select } from "../../ui/input.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { AddedFeature, DeletedFeature } from "./price-consequences.tsx";

type Feature = ItemOf<"listNeutralFeatures">;

const kindWords: Record<Feature["kind"], string> = {
  field: "Field",
  tool: "Tool",
  block: "Content block",
  edit: "Context edit",
};

/** Neutral features of requests: own rows and shipped ones. */
export function NeutralFeatures({ mayChange }: { mayChange: boolean }) {
  const features = useList("listNeutralFeatures", {});
  const [isAdding, setIsAdding] = useState(false);
  const [deleted, setDeleted] = useState<Feature | null>(null);
  const columns = useMemo(() => makeColumns(mayChange ? setDeleted : null), [mayChange]);
  if (features.error) {
    return <LoadError error={features.error} onRetry={() => void features.refetch()} />;
  }
  return (
    <section className="grid gap-4" aria-labelledby="neutral-features">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="grid max-w-2xl gap-1">
          <h2 id="neutral-features" className="font-medium">
            Neutral features
          </h2>
          <p className="text-quiet">
            Parts of a request that cannot raise its price or reach another model. Strict limits
            hold unknown parts at the highest price, and keys with allowed models cannot use them.
          </p>
        </div>
        {mayChange && (
          <Button onClick={() => setIsAdding(true)}>
            <Plus size={16} /> Add feature…
          </Button>
        )}
      </div>
      {features.isPending ? (
        <SkeletonRows />
      ) : (
        <Table
          label="Neutral features"
          columns={columns}
          rows={features.data?.items ?? []}
          rowKey={(row) => `${row.origin} ${row.kind} ${row.name}`}
        />
      )}
      {isAdding && <AddFeatureDialog onClose={() => setIsAdding(false)} />}
      {deleted !== null && <DeleteFeature feature={deleted} onClose={() => setDeleted(null)} />}
    </section>
  );
}

function AddFeatureDialog({ onClose }: { onClose: () => void }) {
  const set = useChange("setNeutralFeature", ["listNeutralFeatures"]);
  const changeForm = useChangeForm(set, {
    defaultValues: { kind: "field" as Feature["kind"], name: "", effect: "", source: "" },
    toInput: ({ kind, name, effect, source }) => ({
      body: { kind, name: name.trim(), effect: effect.trim(), source: source.trim() },
    }),
    toast: (made) => `${made.name} is neutral`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  return (
    <Dialog
      title="Add feature"
      description="Check the documentation of the API first. A feature that calls another model makes holds too small."
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Add feature">
        <Field label="Kind" error={errors.kind?.message}>
          {(control) => (
            <Select {...control} {...form.register("kind")}>
              {Object.entries(kindWords).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field
          label="Name"
          hint="As a refusal names it. A final * stands for digits: bash_*."
          error={errors.name?.message}
        >
          {(control) => (
            <Input
              {...control}
              {...form.register("name", needed("Enter a name."))}
              maxLength={65}
            />
          )}
        </Field>
        <Field label="Effect" hint="Reason why it costs nothing." error={errors.effect?.message}>
          {(control) => (
            <Input
              {...control}
              {...form.register("effect", needed("Enter a reason."))}
              maxLength={100}
            />
          )}
        </Field>
        <Field label="Source" hint="Page that says so." error={errors.source?.message}>
          {(control) => (
            <Input
              {...control}
              {...form.register("source", needed("Enter a source."))}
              maxLength={100}
            />
          )}
        </Field>
        <AddedFeature />
      </DialogForm>
    </Dialog>
  );
}

function DeleteFeature({ feature, onClose }: { feature: Feature; onClose: () => void }) {
  const remove = useChange("deleteNeutralFeature", ["listNeutralFeatures"]);
  return (
    <ConfirmDelayedChange
      change={remove}
      input={{ params: { neutral_feature_id: feature.id ?? "" } }}
      action="Delete feature"
      urgentAction="Delete now"
      subject={feature.id ?? ""}
      name={feature.name}
      done="deleted"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{feature.name}</strong> is unknown again.
      </p>
      <DeletedFeature name={feature.name} />
    </ConfirmDelayedChange>
  );
}

function makeColumns(onDelete: ((feature: Feature) => void) | null): Column<Feature>[] {
  return [
    {
      id: "name",
      header: "Name",
      sortBy: (row) => row.name,
      cell: (row) => (
        <span className="grid grid-cols-[auto]">
          <span className="flex flex-wrap items-center gap-2 font-medium">
            {row.name}
            {row.origin === "organization" && <Badge tone="accent">own row</Badge>}
          </span>
          <span className="text-xs text-quiet">{row.effect}</span>
        </span>
      ),
    },
    {
      id: "kind",
      header: "Kind",
      sortBy: (row) => kindWords[row.kind],
      cell: (row) => kindWords[row.kind],
    },
    {
      id: "source",
      header: "Source",
      from: "lg",
      cell: (row) => <span className="text-quiet">{row.source}</span>,
    },
    {
      id: "since",
      header: "Since",
      from: "sm",
      sortBy: (row) => row.since,
      cell: (row) => <span className="whitespace-nowrap">{formatIsoDay(row.since)}</span>,
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (row) =>
        onDelete &&
        row.id !== null && (
          <Button kind="quiet" onClick={() => onDelete(row)} aria-label={`Delete ${row.name}…`}>
            Delete…
          </Button>
        ),
    },
  ];
}
