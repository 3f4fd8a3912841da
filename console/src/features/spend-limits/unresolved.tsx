import { useMemo, useState } from "react";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { type ItemOf, useChange, usePages } from "../../queries.ts";
import { Money } from "../../ui/amounts.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { formatUsd } from "../../ui/format.ts";
import { Choices, MoneyInput, TextArea } from "../../ui/input.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";

type Unresolved = ItemOf<"listUnresolvedSpend">;

const REFRESH_MS = 10_000;
const kindWords: Record<Unresolved["kind"], { label: string; hint: string }> = {
  request: { label: "Request", hint: "The request was sent, and its outcome is unknown." },
  node: {
    label: "Node budget",
    hint: "The node is silent. The node uses this budget again when it is back.",
  },
  journal: { label: "Lost journal", hint: "Possible spend of a node that lost records on disk." },
};

/** Unresolved spend, which limits count as spent until its release or a decision. */
export function UnresolvedSpend() {
  const unresolved = usePages("listUnresolvedSpend", {}, { everyMs: REFRESH_MS });
  const [decided, setDecided] = useState<Unresolved | null>(null);
  const columns = useMemo(() => makeColumns(setDecided), []);
  if (unresolved.error && unresolved.items.length === 0) {
    return <FormError error={unresolved.error} />;
  }
  if (unresolved.isPending) return <SkeletonRows rows={2} />;
  if (unresolved.items.length === 0) {
    return <p className="text-sm text-quiet">No unresolved spend.</p>;
  }
  return (
    <div className="grid gap-4">
      <Table
        label="Unresolved spend"
        columns={columns}
        rows={unresolved.items}
        rowKey={({ id }) => id}
      />
      {unresolved.hasOlder && (
        <Button
          className="mx-auto"
          isBusy={unresolved.isLoadingOlder}
          onClick={unresolved.loadOlder}
        >
          Load older
        </Button>
      )}
      {decided && <DecideDialog item={decided} onClose={() => setDecided(null)} />}
    </div>
  );
}

function makeColumns(onDecide: (item: Unresolved) => void): Column<Unresolved>[] {
  return [
    {
      id: "kind",
      header: "Kind",
      cell: (item) => (
        <span className="grid">
          <span title={kindWords[item.kind].hint}>{kindWords[item.kind].label}</span>
          <code className="max-w-56 truncate text-xs text-quiet">
            {item.request_id ?? item.node_id}
          </code>
        </span>
      ),
    },
    {
      id: "scope",
      header: "Scope",
      from: "sm",
      cell: ({ scope }) =>
        scope.workspace_id ? (
          <WorkspaceLink id={scope.workspace_id} />
        ) : scope.type === "organization" ? (
          "The company"
        ) : (
          <code>{scope.api_key_id}</code>
        ),
    },
    {
      id: "amount",
      header: "Maximum",
      isNumeric: true,
      cell: (item) => <Money usd={item.amount_usd} />,
    },
    { id: "since", header: "Since", from: "sm", cell: (item) => <RelativeTime at={item.since} /> },
    {
      id: "releases",
      header: "Release",
      from: "lg",
      cell: (item) => <RelativeTime at={item.releases_at} />,
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (item) => (
        <Button
          aria-label={`Resolve ${item.request_id ?? item.node_id}`}
          onClick={() => onDecide(item)}
        >
          Resolve…
        </Button>
      ),
    },
  ];
}

interface DecisionValues {
  decision: "release" | "charge";
  amount_usd: string;
  reason: string;
}

function DecideDialog({ item, onClose }: { item: Unresolved; onClose: () => void }) {
  const resolve = useChange("resolveUnresolvedSpend", [
    "listUnresolvedSpend",
    "listSpendLimits",
    "getEffectiveSpendLimits",
    "listSpendAdjustments",
  ]);
  const defaultValues: DecisionValues = {
    decision: "release",
    amount_usd: item.amount_usd,
    reason: "",
  };
  const changeForm = useChangeForm(resolve, {
    defaultValues,
    toInput: ({ decision, reason, amount_usd }) => ({
      params: { unresolved_spend_id: item.id },
      body: {
        decision,
        reason,
        ...(decision === "charge" && { amount_usd: amount_usd.replaceAll(",", "").trim() }),
      },
    }),
    toast: ({ charged_usd }, { decision }) =>
      decision === "charge" ? `${formatUsd(charged_usd)} charged` : "Spend released",
    onSaved: onClose,
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  const { decision } = form.watch();
  const isCharge = decision === "charge";
  return (
    <Dialog
      title="Resolve unresolved spend"
      description={kindWords[item.kind].hint}
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action={isCharge ? "Charge spend" : "Release spend"}>
        <Choices
          legend="Decision"
          name="decision"
          value={decision}
          onChange={(value) => form.setValue("decision", value, { shouldDirty: true })}
          choices={[
            {
              value: "release",
              label: "Release",
              hint: `Frees ${formatUsd(item.amount_usd)} for new requests.`,
            },
            {
              value: "charge",
              label: "Charge",
              hint:
                item.kind === "request"
                  ? "Adds the amount to the recorded cost of the request."
                  : "Only a request can be charged.",
              isDisabled: item.kind !== "request",
            },
          ]}
        />
        {isCharge && (
          <Field
            label="Cost"
            hint={`At most ${formatUsd(item.amount_usd)}, the amount that was held.`}
            error={errors.amount_usd?.message}
          >
            {(control) => (
              <MoneyInput
                {...control}
                {...form.register("amount_usd", needed("Enter an amount."))}
              />
            )}
          </Field>
        )}
        <Field label="Reason" hint="Recorded in the audit log." error={errors.reason?.message}>
          {(control) => (
            <TextArea
              {...control}
              rows={2}
              {...form.register("reason", needed("Enter a reason."))}
            />
          )}
        </Field>
        <p className="text-sm text-quiet">This cannot be undone.</p>
      </DialogForm>
    </Dialog>
  );
}
